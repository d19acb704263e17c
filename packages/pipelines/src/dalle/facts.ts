/**
 * Facts of images that have one thing or two: `colour` and `object` of the first, `relation` of the first to the second,
 * `colour2` and `object2` of the second. Which of two is the first is a matter of the caption; the picture does not say.
 */

export type Facts = Readonly<Record<string, string>>

/** Relations, and what each is when the two things change places: `{ right: "left", below: "above" }`. */
export type Inverses = Readonly<Record<string, string>>

/** The name of the same fact of the other thing. */
const other = (name: string): string => (name.endsWith("2") ? name.slice(0, -1) : `${name}2`)

/**
 * Facts in the order that a picture decides: a relation that has an inverse becomes that, with the two things exchanged.
 * @law   facts that say the same of a picture become equal
 * @law   what has become so stays so
 */
export const pictureFacts = (facts: Facts, inverses: Inverses): Facts => {
  const { relation } = facts
  const inverse = relation !== undefined && Object.hasOwn(inverses, relation) ? inverses[relation] : undefined
  if (inverse === undefined) return facts
  const paired = (name: string): boolean => Object.hasOwn(facts, other(name))
  return {
    ...Object.fromEntries(
      Object.entries(facts).map(([name, value]) => (paired(name) ? [other(name), value] : [name, value])),
    ),
    relation: inverse,
  }
}

import type { Law, LawOptions } from "@millrace/core/laws"

/** Laws with what they are to refuse: an implementation that they hold for, and broken twins of it. */
export interface MutantSet {
  readonly subject: string
  /** In their order. */
  readonly laws: ReadonlyArray<string>
  /** What is wrong with each twin: "a cross-entropy that …". */
  readonly mutants: ReadonlyArray<string>
  /** Twins with a law that they are said to break. */
  readonly said: ReadonlyArray<readonly [mutant: string, law: string]>
  /** The laws that a twin breaks, or, for null, those that the real one does. */
  readonly brokenBy: (mutant: string | null, examples?: LawOptions) => ReadonlyArray<string>
}

/** Enough for a mutant to show, and the same in every run: the table of laws and mutants is part of the documentation. */
const sameEachTime: LawOptions = { seed: 1, runs: 30 }

/** What is wrong with an implementation, the implementation, and, where it is to be told, a law that it breaks. */
export type Mutant<Implementation> = readonly [wrong: string, mutant: Implementation, law?: string]

/** Twins by what they do (`"that " + …`), or as a list, in which one twin may stand several times. */
type Mutants<Implementation> = Readonly<Record<string, Implementation>> | ReadonlyArray<Mutant<Implementation>>

const isList = <I>(mutants: Mutants<I>): mutants is ReadonlyArray<Mutant<I>> => Array.isArray(mutants)

const byName = <I>(mutants: Mutants<I>): ReadonlyMap<string, I> =>
  new Map(
    isList(mutants)
      ? mutants.map(([wrong, mutant]) => [wrong, mutant])
      : Object.entries(mutants).map(([does, mutant]) => [`that ${does}`, mutant]),
  )

/** A set of laws as a function of an implementation, with implementations. */
export const mutantSet = <Implementation>({
  subject,
  laws,
  real,
  mutants,
}: {
  readonly subject: string
  readonly laws: (implementation: Implementation) => ReadonlyArray<Law>
  readonly real: Implementation
  readonly mutants: Mutants<Implementation>
}): MutantSet => {
  const twins = byName(mutants)
  const brokenBy = (implementation: Implementation, examples: LawOptions): ReadonlyArray<string> =>
    laws(implementation)
      .filter((each) => !each.holds(examples))
      .map(({ name }) => name)
  return {
    subject,
    laws: laws(real).map(({ name }) => name),
    mutants: [...twins.keys()],
    said: isList(mutants)
      ? mutants.flatMap(([wrong, , law]) => (law === undefined ? [] : [[wrong, law] as const]))
      : [],
    brokenBy: (mutant, examples = sameEachTime) => brokenBy(mutant === null ? real : twins.get(mutant)!, examples),
  }
}

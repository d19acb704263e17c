/**
 * What is asked of a picture: what must be equal in the caption and in what the judge sees. The judge tells facts in the order
 * that a picture decides: of two things `colour` and `object` are those of the left or upper half, `colour2` and `object2`
 * those of the other.
 */
import type { Request } from "../artifacts/candidates.js"
import type { Judge, Verdict } from "../artifacts/judge.js"

export interface Question {
  readonly name: string
  readonly of: (shown: Verdict) => ReadonlyArray<unknown>
  /** Of which captions it is asked, by what they should show. */
  readonly asked: (expected: Verdict) => boolean
}

/** Both things of a picture, in an order that does not depend on their places. */
const things = (of: (place: "" | "2") => string): ReadonlyArray<string> => [of(""), of("2")].sort()

const known = (name: string) => (expected: Verdict) => expected[name] !== undefined && expected[name] !== "none"

/** All facts: one thing alone or two, where they are and what they are. */
export const everything: Question = {
  name: "all that the caption says",
  of: (v) =>
    Object.keys(v)
      .sort()
      .map((name) => v[name]),
  asked: (expected) => Object.values(expected).some((value) => value !== "none"),
}

export const questions: ReadonlyArray<Question> = [
  { name: "colours", of: (v) => things((at) => `${v[`colour${at}`]}`), asked: known("colour") },
  { name: "objects", of: (v) => things((at) => `${v[`object${at}`]}`), asked: known("object") },
  {
    name: "each object in its colour",
    of: (v) => things((at) => `${v[`colour${at}`]} ${v[`object${at}`]}`),
    asked: known("object"),
  },
  { name: "of two: side by side or one above the other", of: (v) => [v.relation], asked: known("relation") },
  {
    name: "of two: the colour of each half",
    of: (v) => [v.relation, v.colour, v.colour2],
    asked: known("relation"),
  },
  {
    name: "of two: the object of each half",
    of: (v) => [v.relation, v.object, v.object2],
    asked: known("relation"),
  },
  {
    name: "of two: the left or upper one, object and colour",
    of: (v) => [v.relation, v.colour, v.object],
    asked: known("relation"),
  },
  {
    name: "of two: the right or lower one, object and colour",
    of: (v) => [v.relation, v.colour2, v.object2],
    asked: known("relation"),
  },
  everything,
]

/** Whether a picture shows what its caption says; undefined where that is not asked of the caption. */
export const answer = (
  judge: Judge,
  { facts = {} }: Pick<Request, "facts">,
  verdict: Verdict,
  { of, asked }: Question,
): boolean | undefined => {
  const expected = judge.expected(facts)
  return asked(expected) ? of(verdict).join() === of(expected).join() : undefined
}

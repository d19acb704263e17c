import { changes } from "../store/whatChanged.js"

/** Something that is not the same in both; undefined in the run that does not have it. */
export interface Difference {
  readonly what: string
  readonly a: unknown
  readonly b: unknown
}

/** Every value within two that is not the same, by path. */
export const differences = (a: unknown, b: unknown, path = ""): ReadonlyArray<Difference> =>
  changes(a, b, path).map(({ path: what, before, now }) => ({ what, a: before, b: now }))

import { describe, expect, test } from "vitest"
import { broken, type Law } from "./law.js"

/** A broken implementation: what it does wrong, and a law that it breaks by that. */
export type Mutant<T> = readonly [wrong: string, implementation: T, law: string]

/** Tests that a set of laws refuses each broken implementation, and that none of the laws accepts all of them. */
export const refuses = <T>(
  subject: string,
  laws: (implementation: T) => ReadonlyArray<Law>,
  mutants: ReadonlyArray<Mutant<T>>,
): void => {
  describe(`${subject} that is wrong breaks a law`, () => {
    const found = new Map<string, ReadonlyArray<string>>()
    const brokenBy = ([wrong, implementation]: Mutant<T>): ReadonlyArray<string> => {
      const names = found.get(wrong) ?? broken(laws(implementation))
      found.set(wrong, names)
      return names
    }

    test.each(mutants.map((mutant) => [mutant[0], mutant] as const))("%s", (_, mutant) => {
      expect(brokenBy(mutant)).toContain(mutant[2])
    })

    test("and every law is broken by one of them", () => {
      const names = laws(mutants[0]![1]).map(({ name }) => name)
      expect(new Set(mutants.flatMap(brokenBy))).toEqual(new Set(names))
    })
  })
}

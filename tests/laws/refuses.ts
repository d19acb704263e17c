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
    const breaks = (implementation: T, law: string): boolean =>
      broken(laws(implementation).filter(({ name }) => name === law)).length > 0

    test.each(mutants.map((mutant) => [mutant[0], mutant] as const))("%s", (_, [, implementation, law]) => {
      expect(laws(implementation).map(({ name }) => name)).toContain(law)
      expect(breaks(implementation, law), law).toBe(true)
    })

    test("and every law is broken by one of them", () => {
      const named = new Set(mutants.map(([, , law]) => law))
      const others = laws(mutants[0]![1])
        .map(({ name }) => name)
        .filter((name) => !named.has(name))
      expect(others.filter((law) => !mutants.some(([, implementation]) => breaks(implementation, law)))).toEqual([])
    })
  })
}

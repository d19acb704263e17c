/** A set of laws is worth what it refuses: implementations that are wrong in one way each, and the law that says so. */
import { describe, expect, test } from "vitest"
import { broken, type Law } from "./law.js"

/** What is wrong with an implementation, the implementation, and a law that it breaks. */
export type Mutant<S> = readonly [wrong: string, mutant: S, law: string]

/** Tests that each mutant breaks the law that it names, and that each law is broken by a mutant. */
export const refuse = <S>(
  subject: string,
  lawsOf: (subject: S) => ReadonlyArray<Law>,
  mutants: ReadonlyArray<Mutant<S>>,
): void => {
  describe(`the laws of ${subject}`, () => {
    const seen = new Set<string>()
    test.each(mutants)("refuse one %s", (_, mutant, law) => {
      const names = broken(lawsOf(mutant))
      for (const name of names) seen.add(name)
      expect(names).toContain(law)
    })
    test("are each broken by one of these", () => {
      const [first] = mutants
      const all = first === undefined ? [] : lawsOf(first[1]).map(({ name }) => name)
      expect(all.filter((name) => !seen.has(name))).toEqual([])
    })
  })
}

import type { Law, LawOptions } from "@millrace/core/laws"

/** Laws with what they are to refuse: an implementation that they hold for, and broken twins of it. */
export interface MutantSet {
  readonly subject: string
  /** In their order. */
  readonly laws: ReadonlyArray<string>
  /** What is wrong with each twin, as what follows the subject: "that overflows", "with ties kept". */
  readonly mutants: ReadonlyArray<string>
  /** How many examples each law is tried on. */
  readonly runs: number
  /** The laws that a twin breaks, or, for null, those that the real one does. */
  readonly brokenBy: (mutant: string | null, examples?: LawOptions) => ReadonlyArray<string>
}

/** A set of laws as a function of an implementation, with implementations. */
export const mutantSet = <Implementation>({
  subject,
  laws,
  real,
  mutants,
  seed = 1,
  runs = 12,
}: {
  readonly subject: string
  readonly laws: (implementation: Implementation) => ReadonlyArray<Law>
  readonly real: Implementation
  readonly mutants: Readonly<Record<string, Implementation>>
  /** The same in every run: the table of laws and mutants is part of the documentation. */
  readonly seed?: number
  /** Examples of each law, enough for a mutant to show; fewer where one takes long. */
  readonly runs?: number
}): MutantSet => ({
  subject,
  laws: laws(real).map(({ name }) => name),
  mutants: Object.keys(mutants),
  runs,
  brokenBy: (mutant, examples = { seed, runs }) =>
    laws(mutant === null ? real : mutants[mutant]!)
      .filter((each) => !each.holds(examples))
      .map(({ name }) => name),
})

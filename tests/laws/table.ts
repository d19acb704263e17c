/** The table law × mutant as Markdown: what `docs/laws.md` is made of. */
import type { MutantSet } from "./mutants/mutantSet.js"

/** A set with what each of its mutants breaks. */
export interface Verdicts extends MutantSet {
  readonly real: ReadonlyArray<string>
  readonly broken: ReadonlyMap<string, ReadonlyArray<string>>
}

export const verdictsOf = (set: MutantSet): Verdicts => ({
  ...set,
  real: set.brokenBy(null),
  broken: new Map(set.mutants.map((mutant) => [mutant, set.brokenBy(mutant)])),
})

const row = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

const section = ({ subject, laws, mutants, broken }: Verdicts): string =>
  [
    `## ${subject}`,
    "",
    ...mutants.map((mutant, i) => `${i + 1}. ${mutant}`),
    "",
    row(["law", ...mutants.map((_, i) => String(i + 1))]),
    row(["---", ...mutants.map(() => ":-:")]),
    ...laws.map((law) => row([law, ...mutants.map((mutant) => (broken.get(mutant)!.includes(law) ? "✗" : ""))])),
  ].join("\n")

export const markdownOf = (sets: ReadonlyArray<Verdicts>): string => {
  const count = (of: (set: Verdicts) => number): number => sets.reduce((n, set) => n + of(set), 0)
  return `${[
    "# Laws and mutants",
    [
      `${count(({ laws }) => laws.length)} laws in ${sets.length} sets, and ${count(({ mutants }) => mutants.length)} mutants: implementations that are wrong`,
      "on purpose. A cross says that the law refuses the mutant. Every law refuses one, every mutant is refused, and no law",
      "refuses the real implementation; a test sees to it. `npm run laws` writes this file.",
    ].join("\n"),
    ...sets.map(section),
  ].join("\n\n")}\n`
}

/** What a reproduction showed, as a table. */
import { type Difference, showNumber, textTable } from "@millrace/core"
import type { Reproduction } from "@millrace/core/crate"
import { valueText } from "@millrace/core/runs"

const short = (digest: string | null): string => (digest === null ? "nothing" : digest.slice(0, 12))

/** How many numbers are told one by one; the rest are counted. */
const mostNumbers = 40

const environmentTable = (differences: ReadonlyArray<Difference>): string =>
  textTable({
    title: "Versions and machine that differ",
    columns: ["what", "published", "again"],
    rows: differences.map(({ what, a, b }) => [what, valueText(a), valueText(b)]),
  })

export const reproductionText = (
  { exact, stages, metrics, reproduced }: Reproduction,
  environment: ReadonlyArray<Difference>,
): string => {
  const differing = metrics.filter(({ within }) => !within)
  const shown = (differing.length > 0 ? differing : exact ? [] : metrics).slice(0, mostNumbers)
  const same = stages.filter((stage) => stage.same).length
  const near = metrics.length - differing.length
  const digests = textTable({
    title: exact
      ? "Same engine and instructions: every digest must be equal"
      : "Another engine or processor: digests may differ",
    columns: ["stage", "output", "published", "again", "same"],
    rows: stages.map(({ stage, port, published, again, same }) => [
      stage,
      port,
      short(published),
      short(again),
      same ? "yes" : "no",
    ]),
  })
  const numbers = textTable({
    title: differing.length > 0 ? "Numbers that are not as published" : "Numbers",
    columns: ["stage", "number", "published", "again", "may differ by"],
    rows: shown.map(({ stage, name, published, again, allowed }) => [
      stage,
      name,
      showNumber(published),
      again === null ? "none" : showNumber(again),
      showNumber(allowed),
    ]),
  })
  return [
    digests,
    ...(shown.length === 0 ? [] : ["", numbers]),
    ...(environment.length === 0 ? [] : ["", environmentTable(environment)]),
    "",
    `${same} of ${stages.length} outputs have the published digest, ${near} of ${metrics.length} numbers are ${exact ? "equal" : "within the tolerance"}: ` +
      (reproduced ? "reproduced" : "not reproduced"),
  ].join("\n")
}

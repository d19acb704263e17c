/** Results as text: on the terminal, and as the README's tables. */
import { textTable } from "@millrace/core"
import { type Contestant, peerNames, titles } from "./peers.js"
import type { Compared, Memory, Result, Results, Row } from "./results.js"

const known = ["millrace", ...peerNames] as const
const titleOf = (name: string): string => {
  const contestant = known.find((other): other is Contestant => other === name)
  return contestant === undefined ? name : titles[contestant]
}

/** Three significant digits: `0.0214 s`, `1.30 s`. */
const seconds = (value: number): string =>
  `${Number(value.toPrecision(3)) >= 100 ? value.toFixed(0) : value.toPrecision(3)} s`
const mebibytes = (value: number | null): string =>
  value === null ? "not measured" : `${Math.round(value / 2 ** 20).toLocaleString("en")} MiB`
const memory = ({ main, engine, total }: Memory): string =>
  engine === null ? mebibytes(total) : `${mebibytes(total)} (${mebibytes(main)} + ${mebibytes(engine)})`
const ratio = (row: Row): string => (row.contestant === "millrace" ? "" : row.ratio.toFixed(2))
const wanted = ({ target, ratio }: Row): string =>
  target === null ? "" : `≥ ${target} ${ratio >= target ? "met" : "missed"}`

const columns = ["", "median", "middle half", "ratio", "wanted", "loss differs by", "peak", "peak of the steps"]
const cells = (row: Row): ReadonlyArray<string> => [
  titleOf(row.contestant),
  seconds(row.median),
  `${seconds(row.lowerQuartile)} – ${seconds(row.upperQuartile)}`,
  ratio(row),
  wanted(row),
  row.difference === null ? "" : row.difference.toExponential(1),
  memory(row.peak),
  memory(row.peakStepping),
]

/** Seconds from the network's code to a session that runs it. */
const compileLimit = 3

const compared = ({ title, rows, skipped }: Compared): string => {
  const table = textTable({ title, columns, rows: rows.map(cells) })
  const ours = rows.find(({ contestant }) => contestant === "millrace")
  const torch = rows.find(({ contestant }) => contestant === "torch")
  const notes = [
    ...(ours?.compileSeconds == null
      ? []
      : [`captured, compiled and loaded in ${seconds(ours.compileSeconds)} (wanted: less than ${compileLimit} s)`]),
    ...(ours?.peak.total == null || torch?.peak.total == null
      ? []
      : [`peak memory is ${(ours.peak.total / torch.peak.total).toFixed(2)} times PyTorch's (wanted: at most 1)`]),
    `${ours?.rounds ?? 0} rounds; versions: ${rows.map(({ version, threads }) => `${version} (${threads} threads)`).join("; ")}`,
    ...skipped.map(({ contestant, reason }) => `${titleOf(contestant)} skipped: ${reason}`),
  ]
  return [table, ...notes].join("\n")
}

/** A result as it is printed. */
export const showResult = (result: Result): string => {
  switch (result.kind) {
    case "compared":
      return compared(result)
    case "checked":
      return `${result.title}: ${result.found} (wanted: ${result.wanted}; ${result.holds ? "met" : "missed"})`
    case "failed":
      return `${result.title}\nFAILED: ${result.reason}`
  }
}

const line = (parts: ReadonlyArray<string>): string => `| ${parts.join(" | ")} |`

/** The README's tables, in Markdown. */
export const readmeTables = ({ machine, threads, results }: Results): string => {
  const rows = results.flatMap((result) => {
    if (result.kind !== "compared") return []
    const ours = result.rows.find(({ contestant }) => contestant === "millrace")
    if (ours === undefined) return []
    return result.rows
      .filter((row) => row !== ours)
      .map((row) =>
        line([
          result.title,
          `${titleOf(row.contestant)}`,
          seconds(ours.median),
          seconds(row.median),
          `**${row.ratio.toFixed(2)}**`,
          row.target === null ? "" : `≥ ${row.target}`,
          `${mebibytes(ours.peak.total)}, ${mebibytes(row.peak.total)}`,
        ]),
      )
  })
  const checks = results.flatMap((result) =>
    result.kind === "checked" ? [line([result.title, result.found, result.wanted])] : [],
  )
  const dates = [...new Set(results.map(({ date }) => date))].sort()
  const commands = [...new Set(results.map(({ command }) => command))].sort()
  const versions = new Set(
    results.flatMap((result) => (result.kind === "compared" ? result.rows.map(({ version }) => version) : [])),
  )
  return [
    `${commands.map((command) => `\`${command}\``).join(", ")} on ${machine}, ${dates.join(", ")}, ${threads} threads each;`,
    `${[...versions].sort().join("; ")}.`,
    "",
    line(["", "against", "Millrace", "they", "ratio", "wanted", "peak memory, ours and theirs"]),
    line(Array(7).fill("---")),
    ...rows,
    "",
    line(["", "found", "wanted"]),
    line(Array(3).fill("---")),
    ...checks,
  ].join("\n")
}

/** Samples as text: columns side by side where there is room, one under the other where there is not. */
import { padTo, printable, type Samples, textWidth } from "@millrace/core"

/** Lines of at most `width` columns; a word that is longer is cut. */
export const wrap = (text: string, width: number): ReadonlyArray<string> =>
  printable(text)
    .split("\n")
    .flatMap((paragraph) => {
      const lines: Array<string> = []
      let line = ""
      for (const word of paragraph.split(/ +/)) {
        const longer = line === "" ? word : `${line} ${word}`
        if (textWidth(longer) <= width) {
          line = longer
          continue
        }
        if (line !== "") lines.push(line)
        line = ""
        for (const character of word) {
          if (textWidth(line + character) > width) {
            lines.push(line)
            line = ""
          }
          line += character
        }
      }
      return [...lines, line]
    })

const narrowest = 18
const gap = 3

/** Widths of columns: what they need if that fits, else a fair share of the room. */
const shares = (needs: ReadonlyArray<number>, room: number): ReadonlyArray<number> => {
  const widths = needs.map(() => 0)
  let left = room
  const order = needs.map((need, i) => [need, i] as const).sort(([a], [b]) => a - b)
  for (const [place, [need, i]] of order.entries()) {
    const share = Math.floor(left / (needs.length - place))
    widths[i] = Math.min(need, share)
    left -= widths[i]
  }
  return widths
}

/**
 * Samples for a terminal.
 * @param width  columns of the terminal
 * @param most   rows at most
 */
export const samplesText = ({ columns, rows }: Omit<Samples, "step">, width: number, most = 4): string => {
  const shown = rows.slice(0, most)
  const table = [columns, ...shown]
  const needs = columns.map((_, i) =>
    Math.max(
      ...table.map((row) =>
        Math.max(
          ...printable(row[i] ?? "")
            .split("\n")
            .map(textWidth),
        ),
      ),
    ),
  )
  const widths = shares(needs, width - 2 - gap * (columns.length - 1))
  const rest = rows.length > shown.length ? [`  and ${rows.length - shown.length} more in the report`] : []
  const sideBySide = widths.every((share, i) => share >= Math.min(narrowest, needs[i] ?? 0))
  if (!sideBySide) {
    const stacked = shown.flatMap((row) => [
      ...row.flatMap((cell, i) => {
        const lines = wrap(cell, Math.max(narrowest, width - 4))
        return [`  ${printable(columns[i] ?? "").replaceAll("\n", " ")}:`, ...lines.map((line) => `    ${line}`)]
      }),
      "",
    ])
    return [...stacked, ...rest].join("\n").trimEnd()
  }
  const across = (row: ReadonlyArray<string>): ReadonlyArray<string> => {
    const cells = columns.map((_, i) => wrap(row[i] ?? "", Math.max(1, widths[i] ?? 1)))
    const height = Math.max(...cells.map((cell) => cell.length))
    return Array.from({ length: height }, (_, y) =>
      `  ${cells.map((cell, i) => padTo(cell[y] ?? "", widths[i] ?? 0)).join(" ".repeat(gap))}`.trimEnd(),
    )
  }
  const rule = `  ${widths.map((share) => "─".repeat(share)).join(" ".repeat(gap))}`
  return [
    ...across(columns),
    rule,
    ...shown.flatMap((row, i) => (i === 0 ? across(row) : ["", ...across(row)])),
    ...rest,
  ].join("\n")
}

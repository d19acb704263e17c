/** Tables as plain text. */
import { showColumn, showNumber } from "./number.js"
import type { Table } from "./story.js"

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u

/** Columns that a text takes in a terminal: none for marks, two for wide letters and pictures. */
export const textWidth = (text: string): number => {
  let width = 0
  for (const character of text) width += /\p{Mark}|\p{Cf}/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/** Control characters could move the cursor or recolour the terminal: a text from a run shows them, and does nothing else. */
export const printable = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    .replaceAll("\t", "  ")
    .replace(/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu, "\uFFFD")

export const padTo = (text: string, width: number, right = false): string => {
  const space = " ".repeat(Math.max(0, width - textWidth(text)))
  return right ? space + text : text + space
}

/** A titled table with aligned columns, numbers to the right. */
export const textTable = ({ title, columns, rows }: Table): string => {
  const cells = columns.map((_, i) => {
    const column = rows.map((row) => row[i] ?? "")
    const numbers = column.filter((cell) => typeof cell === "number")
    if (numbers.length === column.length) return showColumn(numbers)
    return column.map((cell) => (typeof cell === "number" ? showNumber(cell) : printable(cell).replaceAll("\n", " ")))
  })
  const isNumber = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"))
  const names = columns.map((name) => printable(name).replaceAll("\n", " "))
  const widths = names.map((name, i) => Math.max(textWidth(name), ...(cells[i] ?? []).map(textWidth)))
  const line = (texts: ReadonlyArray<string>): string =>
    `  ${texts.map((text, i) => padTo(text, widths[i] ?? 0, isNumber[i])).join("  ")}`.trimEnd()
  return [
    printable(title).replaceAll("\n", " "),
    line(names),
    line(widths.map((width) => "─".repeat(width))),
    ...rows.map((_, row) => line(cells.map((column) => column[row] ?? ""))),
  ].join("\n")
}

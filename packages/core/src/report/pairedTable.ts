/** Tables of two runs as one, where they have the same shape; else one below the other. */
import { type Html, html } from "./html.js"
import { showColumn, showNumber } from "./number.js"
import type { Samples, Table } from "./story.js"
import { isNumeric, samplesTable } from "./tables.js"

type Cell = string | number | undefined

const mostRows = 200

const both = (a: string, b: string): Html =>
  html`<span class="pair"><span class="accent"><i>A</i> ${a}</span> <span class="second"><i>B</i> ${b}</span></span>`

const isNumber = (cell: Cell): cell is number => typeof cell === "number"

/** Rows are the same row where their first cells are equal; so many of each name as there are. */
const pairRows = (
  a: Table["rows"],
  b: Table["rows"],
): ReadonlyArray<readonly [Table["rows"][number] | undefined, Table["rows"][number] | undefined]> => {
  const left = [...b]
  const paired = a.map((row) => {
    const at = left.findIndex((other) => other[0] === row[0])
    return [row, at < 0 ? undefined : left.splice(at, 1)[0]] as const
  })
  return [...paired, ...left.map((row) => [undefined, row] as const)]
}

const cellOf = (a: Cell, b: Cell, [textA, textB]: readonly [string, string], right: boolean): Html => {
  const number = right ? html` class="n"` : undefined
  const show = (cell: Cell, text: string): string => (cell === undefined ? "–" : isNumber(cell) ? text : cell)
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return html`<td${number}>${show(a, textA)}</td>`
  const by = isNumber(a) && isNumber(b) && Number.isFinite(a - b) ? ` (B − A ${showNumber(b - a)})` : ""
  return html`<td class="differs${number === undefined ? "" : " n"}" title="A ${String(a ?? "nothing")}, B ${String(b ?? "nothing")}${by}">${both(show(a, textA), show(b, textB))}</td>`
}

const merged = (a: Table, b: Table): Html => {
  const rows = pairRows(a.rows, b.rows).slice(0, mostRows)
  const texts = a.columns.map((_, i) => {
    const numbers = rows.flatMap(([ofA, ofB]) => [ofA?.[i], ofB?.[i]].map((c) => (isNumber(c) ? c : Number.NaN)))
    return showColumn(numbers)
  })
  const right = a.columns.map((_, i) =>
    rows.every((pair) => pair.every((row) => row === undefined || isNumeric(row[i]))),
  )
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${a.title}"><table>
<thead><tr>${a.columns.map((name, i) => html`<th scope="col"${right[i] ? html` class="n"` : undefined}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([ofA, ofB], row) =>
      html`<tr>${a.columns.map((_, i) => cellOf(ofA?.[i], ofB?.[i], [texts[i]?.[2 * row] ?? "", texts[i]?.[2 * row + 1] ?? ""], right[i] ?? false))}</tr>`,
  )}</tbody></table></div>`
}

const sameColumns = (a: Pick<Table, "columns">, b: Pick<Table, "columns">): boolean =>
  a.columns.length === b.columns.length && a.columns.every((name, i) => name === b.columns[i])

const alone = (table: Table, run: "A" | "B"): Html => html`<p class="more">in ${run} alone</p>${merged(table, table)}`

/** A table of both runs: cells that differ have both values. */
export const pairedTable = (title: string, stage: string, a: Table | undefined, b: Table | undefined): Html => {
  const content =
    a !== undefined && b !== undefined
      ? sameColumns(a, b)
        ? merged(a, b)
        : html`<p class="more">A</p>${merged(a, a)}<p class="more">B</p>${merged(b, b)}`
      : a !== undefined
        ? alone(a, "A")
        : b !== undefined
          ? alone(b, "B")
          : undefined
  return html`<div class="wide paired"><h3>${title} <span class="tag">${stage}</span></h3>${content}</div>`
}

/** The last samples of both runs, those of one prompt beside each other. */
export const pairedSamples = (a: Samples | undefined, b: Samples | undefined): Html | undefined => {
  const only = a ?? b
  if (only === undefined) return undefined
  if (a === undefined || b === undefined) {
    return html`<p class="more">in ${a === undefined ? "B" : "A"} alone</p>${samplesTable(only)}`
  }
  if (!sameColumns(a, b)) {
    return html`<p class="more">A</p>${samplesTable(a)}<p class="more">B</p>${samplesTable(b)}`
  }
  const [prompt = "", ...rest] = a.columns
  const rows = pairRows(a.rows, b.rows).map(([ofA, ofB]) => [
    String(ofA?.[0] ?? ofB?.[0] ?? ""),
    ...rest.flatMap((_, i) => [String(ofA?.[i + 1] ?? "–"), String(ofB?.[i + 1] ?? "–")]),
  ])
  return samplesTable({
    columns: [prompt, ...rest.flatMap((name) => [`A: ${name}`, `B: ${name}`])],
    rows,
    step: a.step,
  })
}

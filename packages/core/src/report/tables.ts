/** Tables of results and of samples, as HTML. */
import { type Html, html } from "./html.js"
import { showColumn, showNumber } from "./number.js"
import type { Samples, Table } from "./story.js"

const mostRows = 200
const mostSamples = 60
/** Fewer rows are seen at a glance. */
const leastFiltered = 9
const longestSample = 2000

const more = (all: number, shown: number, noun: string): Html | undefined =>
  all > shown ? html`<p class="more">${all - shown} more ${noun} in events.jsonl</p>` : undefined

/** A field that leaves the rows which have all its words; the script finds the table beside it. */
export const filterField = (rows: number, of: string): Html | undefined =>
  rows < leastFiltered
    ? undefined
    : html`<div class="filter"><label>Filter <input type="search" autocomplete="off" spellcheck="false" aria-label="Filter ${of}"></label> <output></output></div>`

/** `12.5 %` is words to a program and a number to a reader. */
export const isNumeric = (cell: string | number | undefined): boolean =>
  typeof cell === "number" || (cell !== undefined && /^[-−+]?[\d.,]+(?: ?%)?$/.test(cell))

export const resultTable = ({ title, columns, rows }: Table, stage: string, curves?: Html): Html => {
  const isNumber = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"))
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(row[i])))
  const number = (i: number): Html | undefined => (right[i] ? html` class="n"` : undefined)
  const shown = rows.slice(0, mostRows)
  const texts = columns.map((_, i) =>
    isNumber[i] ? showColumn(shown.map((row) => (typeof row[i] === "number" ? row[i] : Number.NaN))) : [],
  )
  return html`<div${columns.length > 2 ? html` class="wide"` : undefined}>${filterField(shown.length, title)}<div class="scroll" tabindex="0" role="group" aria-label="${title}"><table>
<caption>${title} <span class="tag">${stage}</span></caption>
<thead><tr>${columns.map((name, i) => html`<th scope="col"${number(i)}>${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (row, j) =>
      html`<tr>${row.map((cell, i) =>
        typeof cell === "number"
          ? html`<td class="n" title="${cell}">${texts[i]?.[j] ?? showNumber(cell)}</td>`
          : html`<td${number(i)}>${cell}</td>`,
      )}</tr>`,
  )}</tbody>
</table></div>${more(rows.length, shown.length, "rows")}${curves}</div>`
}

const cut = (text: string): string => (text.length <= longestSample ? text : `${text.slice(0, longestSample)} …`)

export const samplesTable = ({ columns, rows }: Samples): Html => {
  const shown = rows.slice(0, mostSamples)
  return html`<div class="filterable">${filterField(shown.length, "the samples")}<table class="samples"><thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (row) => html`<tr>${row.map((cell, i) => html`<td data-column="${columns[i] ?? ""}">${cut(cell)}</td>`)}</tr>`,
  )}</tbody></table>${more(rows.length, shown.length, "samples")}</div>`
}

/** Tables of results and of samples, as HTML. */
import { type Html, html } from "./html.js"
import { showColumn, showNumber } from "./number.js"
import type { Samples, Table } from "./story.js"

const mostRows = 200
const mostSamples = 24
const longestSample = 2000

const more = (all: number, shown: number, noun: string): Html | undefined =>
  all > shown ? html`<p class="more">${all - shown} more ${noun} in events.jsonl</p>` : undefined

export const resultTable = ({ title, columns, rows }: Table, stage: string, curves?: Html): Html => {
  const isNumber = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"))
  const shown = rows.slice(0, mostRows)
  const texts = columns.map((_, i) =>
    isNumber[i] ? showColumn(shown.map((row) => (typeof row[i] === "number" ? row[i] : Number.NaN))) : [],
  )
  return html`<div${columns.length > 2 ? html` class="wide"` : undefined}><div class="scroll" tabindex="0" role="group" aria-label="${title}"><table>
<caption>${title} <span class="tag">${stage}</span></caption>
<thead><tr>${columns.map((name, i) => html`<th scope="col"${isNumber[i] ? html` class="n"` : undefined}>${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (row, j) =>
      html`<tr>${row.map((cell, i) =>
        typeof cell === "number"
          ? html`<td class="n" title="${cell}">${texts[i]?.[j] ?? showNumber(cell)}</td>`
          : html`<td>${cell}</td>`,
      )}</tr>`,
  )}</tbody>
</table></div>${more(rows.length, shown.length, "rows")}${curves}</div>`
}

const cut = (text: string): string => (text.length <= longestSample ? text : `${text.slice(0, longestSample)} …`)

export const samplesTable = ({ columns, rows }: Samples): Html => {
  const shown = rows.slice(0, mostSamples)
  return html`<table class="samples"><thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (row) => html`<tr>${row.map((cell, i) => html`<td data-column="${columns[i] ?? ""}">${cut(cell)}</td>`)}</tr>`,
  )}</tbody></table>${more(rows.length, shown.length, "samples")}`
}

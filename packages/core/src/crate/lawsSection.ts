/** The laws of a run's nodes, for its report. */
import { type Html, html } from "../report/html.js"
import { type CheckedLaw, type CheckedLaws, verdictText } from "./checkedLaws.js"

const shown = { holds: "holds", broken: "BROKEN", untried: "untried" } as const

const lawItem = ({ law, verdict, runs, counterexample }: CheckedLaw): Html =>
  html`<li>${law}: <span class="tag ${verdict === "broken" ? "failed" : "done"}">${shown[verdict]}</span>, ${runs} examples${
    counterexample === null ? undefined : html`<pre>${counterexample.example}\n${counterexample.reason}</pre>`
  }</li>`

/** Laws of one node, in the order in which they were tried. */
const nodesOf = ({ laws }: CheckedLaws): ReadonlyArray<ReadonlyArray<CheckedLaw>> => {
  const keyOf = ({ node, places }: CheckedLaw): string => `${node}\n${places.join("\n")}`
  return [...new Set(laws.map(keyOf))].map((key) => laws.filter((law) => keyOf(law) === key))
}

const nodeRow = (laws: ReadonlyArray<CheckedLaw>): Html => {
  const [{ node, places } = { node: "", places: [""] }] = laws
  const broken = laws.filter(({ verdict }) => verdict === "broken").length
  return html`<tr><td>${places.join(", ")}</td><td class="type mono">${node}</td>
<td><details${broken > 0 ? html` open` : undefined}><summary>${laws.length} laws${broken > 0 ? `, ${broken} BROKEN` : ""}</summary><ul>${laws.map(lawItem)}</ul></details></td></tr>`
}

const section = (laws: CheckedLaws): Html => html`<section><h2>Laws</h2>
<p class="lead">${verdictText(laws)}.</p>
<div class="scroll" tabindex="0" role="group" aria-label="Laws"><table>
<thead><tr><th scope="col">Where</th><th scope="col">Node</th><th scope="col">Laws</th></tr></thead>
<tbody>${nodesOf(laws).map(nodeRow)}</tbody></table></div></section>`

/** The report with the laws at its end. A page that is none of ours is left as it is. */
export const withLaws = (report: Uint8Array, laws: CheckedLaws): Uint8Array => {
  const page = new TextDecoder().decode(report)
  const end = page.lastIndexOf("\n</main>")
  if (end < 0 || laws.laws.length === 0) return report
  return new TextEncoder().encode(`${page.slice(0, end)}\n${section(laws).text}${page.slice(end)}`)
}

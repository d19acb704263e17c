/**
 * A run as one HTML file: the graph on top, then results, images, curves, samples, environment and digests. It opens from
 * disk, loads nothing, and its content security policy allows its own scripts and style and no others.
 */
import { curveScript } from "./curveScript.js"
import { filterScript } from "./filterScript.js"
import type { GraphFacts } from "./graphFacts.js"
import { graphScript } from "./graphScript.js"
import { graphSection } from "./graphSection.js"
import { graphStyle } from "./graphStyle.js"
import { type Html, html } from "./html.js"
import { embedded, imageSection } from "./imageSection.js"
import { leaves } from "./leaves.js"
import { showNumber, showSeconds } from "./number.js"
import { numbersScript } from "./numbersScript.js"
import { page } from "./page.js"
import { curveData, curveFigure, curveTools, hasSection, stageSection } from "./stageSection.js"
import type { RunStory, StageStory, Table } from "./story.js"
import { style } from "./style.js"
import { tableCurve } from "./tableCurve.js"
import { resultTable } from "./tables.js"
import { uplot } from "./uplot.js"
import { stateWords } from "./words.js"

export interface ReportInput {
  readonly graph: GraphFacts
  readonly story: RunStory
  readonly seed: string
  /** PNGs of the run's images by their path in the run folder; those that are not here are told by their path. */
  readonly images?: ReadonlyMap<string, Uint8Array>
  /** Facts of the machine, by name; records nest. */
  readonly environment: Readonly<Record<string, unknown>>
  /** The command that makes this run again. */
  readonly command?: string
  /** What the reader must know of the record itself: lines that are missing from it. */
  readonly warnings?: ReadonlyArray<string>
}

const fact = (name: string, value: string | Html): Html => html`<div><dt>${name}</dt><dd>${value}</dd></div>`

const alertOf = (stages: ReadonlyArray<StageStory>): Html | undefined => {
  const broken = stages.find(({ error }) => error !== undefined)
  if (broken === undefined) return undefined
  const stopped = broken.status === "stopped"
  return html`<div class="alert${stopped ? " stopped" : ""}" role="alert">
<h3>${stopped ? "Stopped" : "Failed"} in ${broken.name}</h3>
${stopped ? html`<p>What the stages before it made is kept in this folder.</p>` : html`<pre>${broken.error}</pre>`}</div>`
}

const stageRow = (stage: StageStory, i: number, longest: number): Html => {
  const [name, value] =
    Object.entries(stage.last).find(([key]) => key === "loss") ?? Object.entries(stage.last)[0] ?? []
  return html`<tr><th scope="row"><a href="#node-${i}">${stage.name}</a></th><td class="type mono">${stage.node}</td>
<td class="tag ${stage.status}">${stateWords[stage.status]}</td>
<td class="n">${stage.step === 0 ? "" : stage.step.toLocaleString("en-US")}</td>
<td class="n">${name === undefined || value === undefined ? "" : `${name} ${showNumber(value)}`}</td>
<td class="n">${stage.status === "waiting" || stage.status === "cached" ? "" : showSeconds(stage.seconds)}</td>
<td>${stage.status === "cached" ? undefined : html`<meter min="0" max="${Math.max(longest, 1e-9)}" value="${stage.seconds}" aria-label="share of the longest stage"></meter>`}</td></tr>`
}

const digestRows = (stages: ReadonlyArray<StageStory>): ReadonlyArray<Html> =>
  stages.flatMap((stage) =>
    Object.entries(stage.digests).map(
      ([port, digest]) =>
        html`<tr><td>${stage.name}</td><td>${port}</td><td class="digest"><code title="${digest}">${digest}</code></td></tr>`,
    ),
  )

const hasNumbers = ({ images }: StageStory): boolean =>
  [...images.values()].some(({ grids }) => grids.some(({ grid }) => grid.numbers !== undefined))

/** The report of a run. Equal input gives equal bytes. */
export const renderReport = (input: ReportInput): string => {
  const { graph, story, seed, environment, command, warnings = [] } = input
  const stages = [...story.stages.values()]
  const pictures = embedded(stages, input.images ?? new Map())
  const numbered = pictures.size > 0 && stages.some(hasNumbers)
  const done = stages.filter(({ status }) => status === "done" || status === "cached").length
  const cached = stages.filter(({ status }) => status === "cached").length
  const longest = Math.max(0, ...stages.map(({ status, seconds }) => (status === "cached" ? 0 : seconds)))
  const curves = stages.map(curveData)
  const curvesOf = (table: Table): Html | undefined => {
    const data = tableCurve(table)
    if (data === undefined) return undefined
    const place = curves.push(data) - 1
    const figures = Object.entries(data.values).map(([name, values]) =>
      curveFigure(place, name, values.at(-1) ?? undefined, data.x),
    )
    return html`<div class="curves">${figures}</div>`
  }
  // The last stage's first: it is what the run was for.
  const tables = stages
    .toReversed()
    .flatMap((stage) => [...stage.tables.values()].map((table) => resultTable(table, stage.name, curvesOf(table))))
  const drawn = curves.some(({ values }) => Object.keys(values).length > 0)
  const digests = digestRows(stages)
  const plot = uplot()
  return page({
    title: `${graph.name} · ${story.run} · Millrace`,
    about: html`Millrace run <span class="mono">${story.run}</span>`,
    skip: { target: "results", text: "Skip to the results" },
    style: `${plot.style}\n${style}\n${graphStyle}`,
    scripts: [
      graphScript,
      filterScript,
      ...(drawn ? [plot.script, curveScript] : []),
      ...(numbered ? [numbersScript] : []),
    ],
    data: curves,
    images: pictures.size > 0,
    header: html`<div class="title"><h1>${graph.name}</h1><span class="status ${story.status}">${stateWords[story.status]}</span></div>
<dl class="facts">
${fact("Duration", showSeconds(story.seconds))}
${fact("Stages", `${done} of ${stages.length} done${cached === 0 ? "" : `, ${cached} of them found in the store`}`)}
${fact("Seed", seed)}
${typeof environment.engine === "string" ? fact("Engine", environment.engine) : undefined}
${fact("Graph", html`<span class="mono" title="${graph.hash}">${graph.hash.slice(0, 12)}</span>`)}
${command === undefined ? undefined : fact("Run again", html`<code>${command}</code>`)}
</dl>
${alertOf(stages)}
${warnings.length === 0 ? undefined : html`<div class="alert stopped"><h3>The record of this run is not whole</h3>${warnings.map((text) => html`<p>${text}</p>`)}</div>`}`,
    main: html`${graphSection(graph, story)}
<section id="results"><h2>Results</h2>
${tables.length === 0 ? html`<p class="lead">This run made no tables.</p>` : html`<div class="results">${tables}</div>`}
</section>
${imageSection(stages, pictures)}
<section><h2>Stages</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Stages"><table class="stages">
<thead><tr><th scope="col">Stage</th><th scope="col">Node</th><th scope="col">State</th><th scope="col" class="n">Steps</th><th scope="col" class="n">Last value</th><th scope="col" class="n">Time</th><th scope="col">Share of the longest</th></tr></thead>
<tbody>${stages.map((stage, i) => stageRow(stage, i, longest))}</tbody></table></div>
</section>
${drawn ? html`<section><h2>Curves and samples</h2>\n${curveTools}</section>` : undefined}
${stages.flatMap((stage, i) => (hasSection(stage) ? [stageSection(stage, i)] : []))}
<section><h2>Environment</h2><dl class="environment">
${leaves(environment, "", " ")
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl></section>
<section><h2>Digests</h2>
<p class="lead">SHA-256 of what every stage made. The same graph, seed, engine and kind of processor give the same digests.</p>
${
  digests.length === 0
    ? html`<p>No stage has ended.</p>`
    : html`<table><thead><tr><th scope="col">Stage</th><th scope="col">Output</th><th scope="col">SHA-256</th></tr></thead><tbody>${digests}</tbody></table>`
}
</section>`,
  })
}

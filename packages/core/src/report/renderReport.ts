/**
 * A run as one HTML file: the graph on top, then results, curves, samples, environment and digests. It opens from disk,
 * loads nothing, and its content security policy allows the three blocks of its own and no others.
 */
import { createHash } from "node:crypto"
import { type Html, html, scriptJson, trusted } from "./html.js"
import { embedded, imageSection } from "./imageSection.js"
import { showNumber, showSeconds } from "./number.js"
import { numbersScript } from "./numbersScript.js"
import { script } from "./script.js"
import { curveData, curveFigure, hasSection, stageSection } from "./stageSection.js"
import type { RunStory, StageStory, Table } from "./story.js"
import { style } from "./style.js"
import { tableCurve } from "./tableCurve.js"
import { resultTable } from "./tables.js"
import { uplot } from "./uplot.js"

export interface ReportInput {
  readonly graph: {
    readonly name: string
    readonly hash: string
    /** The drawing, as the graph's own `toSvg` writes it: it is put into the page as it is. */
    readonly svg: string
  }
  readonly story: RunStory
  readonly seed: string
  /** PNGs of the run's images by their path in the run folder; those that are not here are told by their path. */
  readonly images?: ReadonlyMap<string, Uint8Array>
  /** Facts of the machine, by name; records nest. */
  readonly environment: Readonly<Record<string, unknown>>
  /** The command that makes this run again. */
  readonly command?: string
}

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`

const mark = trusted(
  `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" aria-hidden="true"><circle cx="12" cy="12" r="7.2"/><circle cx="12" cy="12" r="1.6"/>${Array.from(
    { length: 8 },
    (_, i) => {
      const [x, y] = [Math.cos((i * Math.PI) / 4), Math.sin((i * Math.PI) / 4)]
      const at = (r: number): string => `${(12 + r * x).toFixed(2)} ${(12 + r * y).toFixed(2)}`
      return `<path d="M${at(3.2)}L${at(10.8)}"/>`
    },
  ).join("")}</svg>`,
)

/** An inline drawing needs no namespace, and the page must name no address. */
const inlineSvg = (svg: string): Html =>
  trusted(svg.replace(/^\s*<\?xml[^>]*\?>\s*/, "").replace(/\sxmlns(?::\w+)?="[^"]*"/g, ""))

const words: Readonly<Record<RunStory["status"] | StageStory["status"], string>> = {
  running: "Unfinished",
  done: "Done",
  cached: "Found in the store",
  failed: "Failed",
  stopped: "Stopped",
  waiting: "Not started",
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
  return html`<tr><td>${hasSection(stage) ? html`<a href="#stage-${i}">${stage.name}</a>` : stage.name}</td><td class="type mono">${stage.node}</td>
<td class="tag ${stage.status}">${words[stage.status]}</td>
<td class="n">${stage.step === 0 ? "" : stage.step.toLocaleString("en-US")}</td>
<td class="n">${name === undefined || value === undefined ? "" : `${name} ${showNumber(value)}`}</td>
<td class="n">${stage.status === "waiting" ? "" : showSeconds(stage.seconds)}</td>
<td><meter min="0" max="${Math.max(longest, 1e-9)}" value="${stage.seconds}" aria-label="share of the longest stage"></meter></td></tr>`
}

const entriesOf = (value: unknown, path: string): ReadonlyArray<readonly [string, string]> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, item]) => entriesOf(item, path === "" ? name : `${path} ${name}`))
    : [[path, Array.isArray(value) ? value.join(", ") : String(value)]]

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
  const { graph, story, seed, environment, command } = input
  const plot = uplot()
  const styles = `${plot.style}\n${style}`
  const svg = inlineSvg(graph.svg)
  const svgStyles = [...svg.text.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((match) => match[1] ?? "")
  const stages = [...story.stages.values()]
  const pictures = embedded(stages, input.images ?? new Map())
  const numbered = pictures.size > 0 && stages.some(hasNumbers)
  const policy = [
    "default-src 'none'",
    `script-src ${[plot.script, script, ...(numbered ? [numbersScript] : [])].map(hashOf).join(" ")}`,
    `style-src ${[styles, ...svgStyles].map(hashOf).join(" ")}`,
    ...(pictures.size > 0 ? ["img-src data:"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ")
  const done = stages.filter(({ status }) => status === "done").length
  const longest = Math.max(0, ...stages.map(({ seconds }) => seconds))
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
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${graph.name} · ${story.run} · Millrace</title>
<style>${trusted(styles)}</style>
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header>
<p class="mark">${mark}<span>Millrace run <span class="mono">${story.run}</span></span></p>
<div class="title"><h1>${graph.name}</h1><span class="status ${story.status}">${words[story.status]}</span></div>
<dl class="facts">
${fact("Duration", showSeconds(story.seconds))}
${fact("Stages", `${done} of ${stages.length} done`)}
${fact("Seed", seed)}
${typeof environment.engine === "string" ? fact("Engine", environment.engine) : undefined}
${fact("Graph", html`<span class="mono" title="${graph.hash}">${graph.hash.slice(0, 12)}</span>`)}
${command === undefined ? undefined : fact("Run again", html`<code>${command}</code>`)}
</dl>
${alertOf(stages)}
</header>
<main>
<section aria-label="Graph"><div class="graph" tabindex="0" role="group" aria-label="Drawing of the graph">${svg}</div></section>
<section id="results"><h2>Results</h2>
${tables.length === 0 ? html`<p class="lead">This run made no tables.</p>` : html`<div class="results">${tables}</div>`}
</section>
${imageSection(stages, pictures)}
<section><h2>Stages</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Stages"><table class="stages">
<thead><tr><th>Stage</th><th>Node</th><th>State</th><th class="n">Steps</th><th class="n">Last value</th><th class="n">Time</th><th>Share of the longest</th></tr></thead>
<tbody>${stages.map((stage, i) => stageRow(stage, i, longest))}</tbody></table></div>
</section>
${
  drawn
    ? html`<section><h2>Curves and samples</h2>
<div class="tools"><label><input type="checkbox" id="smooth" checked> Smooth the curves</label>
<label><input type="checkbox" id="log"> Logarithmic where all values are positive</label></div></section>`
    : undefined
}
${stages.flatMap((stage, i) => (hasSection(stage) ? [stageSection(stage, i)] : []))}
<section><h2>Environment</h2><dl class="environment">
${entriesOf(environment, "").map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl></section>
<section><h2>Digests</h2>
<p class="lead">SHA-256 of what every stage made. The same graph, seed, engine and kind of processor give the same digests.</p>
${
  digests.length === 0
    ? html`<p>No stage has ended.</p>`
    : html`<table><thead><tr><th>Stage</th><th>Output</th><th>SHA-256</th></tr></thead><tbody>${digests}</tbody></table>`
}
</section>
</main>
<footer><p>Written by Millrace. This file loads nothing and can be kept or sent as it is. Curves are drawn by uPlot, MIT licence.</p></footer>
<script type="application/json" id="curves">${scriptJson(curves)}</script>
${drawn ? html`<script>${trusted(plot.script)}</script>\n<script>${trusted(script)}</script>` : undefined}
${numbered ? html`<script>${trusted(numbersScript)}</script>` : undefined}
</body>
</html>
`
  return page.text
}

/** Two runs as one HTML file: what they differ in, where their digests part, curves over each other, tables as one. */
import { canonicalJson } from "../json.js"
import type { Difference } from "../runs/difference.js"
import { differenceText } from "../runs/differenceText.js"
import { type ComparedRun, diffRuns, type RunDifference, type StageDifference } from "../runs/diffRuns.js"
import { curveScript } from "./curveScript.js"
import { filterScript } from "./filterScript.js"
import { graphStyle } from "./graphStyle.js"
import { type Html, html } from "./html.js"
import { showNumber, showSeconds } from "./number.js"
import { page } from "./page.js"
import { pairedImages } from "./pairedImages.js"
import { pairedSamples, pairedTable } from "./pairedTable.js"
import { type CurveData, curveData, curveFigure, curveTools, valueNames } from "./stageSection.js"
import type { StageStory } from "./story.js"
import { style } from "./style.js"
import { filterField } from "./tables.js"
import { uplot } from "./uplot.js"
import { stateWords } from "./words.js"

/** A run to be shown beside another. */
export interface ShownRun extends ComparedRun {
  /** PNGs of its images by their path in the run folder. */
  readonly images?: ReadonlyMap<string, Uint8Array>
}

const none = html`<span class="soft">–</span>`

const cellOf = (value: unknown): string | Html =>
  value === undefined ? none : typeof value === "string" ? value : canonicalJson(value)

const differenceTable = (title: string, rows: ReadonlyArray<Difference>): Html | undefined =>
  rows.length === 0
    ? undefined
    : html`<div class="wide"><h3>${title}</h3>${filterField(rows.length, title)}<div class="scroll" tabindex="0" role="group" aria-label="${title}"><table class="differences">
<thead><tr><th scope="col">What</th><th scope="col">A</th><th scope="col">B</th></tr></thead>
<tbody>${rows.map(
        ({ what, a, b }) =>
          html`<tr><th scope="row" class="mono">${what}</th><td class="accent">${cellOf(a)}</td><td class="second">${cellOf(b)}</td></tr>`,
      )}</tbody></table></div></div>`

const numberTable = ({ metrics, equalMetrics }: RunDifference): Html | undefined => {
  const show = (value: number | undefined): string | undefined => (value === undefined ? undefined : showNumber(value))
  return differenceTable(
    `Numbers that differ; ${equalMetrics} are the same`,
    metrics.map(({ stage, name, a, b }) => ({ what: `${stage}: ${name}`, a: show(a), b: show(b) })),
  )
}

const verdictWords: Readonly<Record<StageDifference["verdict"], string>> = {
  same: "Same",
  different: "Different",
  open: "Not comparable",
}

const timeOf = (stage: StageStory | undefined): string =>
  stage === undefined
    ? "not in it"
    : stage.status === "done" || stage.status === "running"
      ? showSeconds(stage.seconds)
      : (stateWords[stage.status].toLowerCase() as string)

const stageRow = ({ stage: name, a, b, outputs, verdict }: StageDifference, at: number, linked: boolean): Html => {
  const digests = outputs
    .filter((one) => one.a !== one.b)
    .map((one) => `${one.port}: A ${one.a ?? "none"}, B ${one.b ?? "none"}`)
  const title = digests.length === 0 ? undefined : html` title="${digests.join("\n")}"`
  return html`<tr><th scope="row">${linked ? html`<a href="#stage-${at}">${name}</a>` : name}</th>
<td class="tag ${verdict}"${title}>${verdictWords[verdict]}</td>
<td class="mono soft">${outputs.map((one) => html`<span class="digests">${(one.a ?? "–").slice(0, 12)}${one.a === one.b ? "" : ` ≠ ${(one.b ?? "–").slice(0, 12)}`}</span> `)}</td>
<td class="n">${timeOf(a)}</td><td class="n">${timeOf(b)}</td></tr>`
}

const noCurve: CurveData = { steps: [], values: {} }

interface Shown {
  readonly stage: StageDifference
  readonly names: ReadonlyArray<string>
  readonly samples: Html | undefined
}

const shownOf = (stage: StageDifference): Shown => {
  const names = [stage.a, stage.b].flatMap((one) => (one === undefined ? [] : valueNames(one)))
  return {
    stage,
    names: [...new Set(names)],
    samples: pairedSamples(stage.a?.samples.at(-1), stage.b?.samples.at(-1)),
  }
}

const hasSection = ({ names, samples }: Shown): boolean => names.length > 0 || samples !== undefined

const section = ({ stage, names, samples }: Shown, at: number): Html =>
  html`<section class="stage" id="stage-${at}"><header><h2>${stage.stage}</h2></header>
<p class="about">${stage.a?.node ?? stage.b?.node ?? ""}</p>
${names.length === 0 ? undefined : html`<div class="curves">${names.map((name) => curveFigure(at, name, stage.a?.last[name]))}</div>`}
${samples === undefined ? undefined : html`<div class="block"><h3>Last samples</h3>${samples}</div>`}</section>`

const tablesOf = (stages: ReadonlyArray<StageDifference>): ReadonlyArray<Html> =>
  stages.toReversed().flatMap(({ stage: name, a, b }) => {
    const titles = new Set([...(a?.tables.keys() ?? []), ...(b?.tables.keys() ?? [])])
    return [...titles].map((title) => pairedTable(title, name, a?.tables.get(title), b?.tables.get(title)))
  })

const runFacts = (letter: "A" | "B", { graph, story, seed, environment }: ShownRun): Html =>
  html`<div class="side ${letter === "A" ? "accent" : "second"}"><dt><b>${letter}</b> <span class="mono">${story.run}</span></dt>
<dd>${graph}, ${stateWords[story.status].toLowerCase()} after ${showSeconds(story.seconds)}, seed ${seed}<br><span class="soft">${String(environment.engine ?? "")}${typeof environment.startedAt === "string" ? `, began ${environment.startedAt.slice(0, 19).replace("T", " ")} UTC` : ""}</span></dd></div>`

/** A page that compares two runs. Equal input gives equal bytes. */
export const renderComparison = (a: ShownRun, b: ShownRun): string => {
  const difference = diffRuns(a, b)
  const { stages } = difference
  const shown = stages.map(shownOf)
  const curves = stages.map(
    (stage): CurveData => ({
      ...(stage.a === undefined ? noCurve : curveData(stage.a)),
      other: stage.b === undefined ? noCurve : curveData(stage.b),
    }),
  )
  const drawn = shown.some(({ names }) => names.length > 0)
  const tables = [numberTable(difference), ...tablesOf(stages)].filter((table) => table !== undefined)
  const pictures = pairedImages(stages, a.images ?? new Map(), b.images ?? new Map())
  const plot = uplot()
  const title = a.graph === b.graph ? a.graph : `${a.graph} and ${b.graph}`
  const found = [
    differenceTable("What decides a run", difference.run),
    differenceTable("The graph", difference.graph),
    differenceTable("Machine and versions", difference.environment),
  ].filter((table) => table !== undefined)
  return page({
    title: `${title} · ${a.story.run} and ${b.story.run} · Millrace`,
    about: html`Two runs, <span class="mono">${a.story.run}</span> and <span class="mono">${b.story.run}</span>`,
    skip: { target: "differences", text: "Skip to the differences" },
    style: `${plot.style}\n${style}\n${graphStyle}`,
    scripts: [filterScript, ...(drawn ? [plot.script, curveScript] : [])],
    data: curves,
    images: pictures !== undefined,
    header: html`<div class="title"><h1>${title}</h1></div>
<dl class="facts">${runFacts("A", a)}${runFacts("B", b)}</dl>
<p class="verdict" role="status">${differenceText(difference)}</p>`,
    main: html`<section id="differences"><h2>What differs</h2>
${found.length === 0 ? html`<p class="lead">Nothing that decides a run, no value of the graph, nothing of the machine.</p>` : html`<div class="results">${found}</div>`}
</section>
<section><h2>Stages</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Stages"><table class="compared">
<thead><tr><th scope="col">Stage</th><th scope="col">Outputs</th><th scope="col">SHA-256</th><th scope="col" class="n">Time, A</th><th scope="col" class="n">Time, B</th></tr></thead>
<tbody>${stages.map((stage, i) => stageRow(stage, i, hasSection(shown[i]!)))}</tbody></table></div>
</section>
${tables.length === 0 ? undefined : html`<section><h2>Results</h2><div class="results">${tables}</div></section>`}
${pictures}
${drawn ? html`<section><h2>Curves and samples</h2>\n${curveTools}<p class="more"><strong class="accent">A</strong> is drawn whole, <strong class="second">B</strong> broken.</p></section>` : undefined}
${shown.flatMap((one, i) => (hasSection(one) ? [section(one, i)] : []))}`,
  })
}

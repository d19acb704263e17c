/** One stage in the report: its curves, samples and notes, and the data that the curves are drawn from. */
import { type Html, html } from "./html.js"
import { showNumber, showSeconds } from "./number.js"
import type { StageStory } from "./story.js"
import { samplesTable } from "./tables.js"

/** Enough for one point a pixel of the widest curve, and little enough for a small file. */
const mostDrawn = 600

export interface CurveData {
  /** What the curve runs over; steps if nothing is said. */
  readonly x?: string
  readonly steps: ReadonlyArray<number>
  /** Not finite values are null: a gap in the curve. */
  readonly values: Readonly<Record<string, ReadonlyArray<number | null>>>
}

/** What is told most of a model comes first. */
const rank = (name: string): number =>
  name === "loss" ? 0 : /loss|reward|accuracy/i.test(name) ? 1 : /^learning-?rate$/i.test(name) ? 3 : 2

const valueNames = (stage: StageStory): ReadonlyArray<string> =>
  [...new Set(stage.points.flatMap(({ values }) => Object.keys(values)))].sort((a, b) => rank(a) - rank(b))

export const curveData = (stage: StageStory): CurveData => {
  const every = Math.ceil(stage.points.length / mostDrawn)
  const last = stage.points.length - 1
  const points = stage.points.filter((_, i) => i === last || (i % every === 0 && last - i >= every / 2))
  const column = (name: string): ReadonlyArray<number | null> =>
    points.map(({ values }) => {
      const value = values[name]
      return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(5))
    })
  return {
    steps: points.map(({ step }) => step),
    values: Object.fromEntries(valueNames(stage).map((name) => [name, column(name)])),
  }
}

/** What the arrow keys move along, and what is told at the end of it. */
export const curveFigure = (stage: number, name: string, value: number | undefined, over = "the steps"): Html =>
  html`<figure class="curve" data-stage="${stage}" data-value="${name}"><figcaption><b>${name}</b>
<output>${value === undefined ? "" : html`<strong>${showNumber(value)}</strong>`}</output></figcaption>
<div class="plot" tabindex="0" role="img" aria-label="${name} over ${over}; the arrow keys move along it"></div></figure>`

/** Samples of a stage that has no steps belong to its end. */
const samplesTitle = (step: number): string =>
  step === 0 ? "Samples" : `Samples after step ${step.toLocaleString("en-US")}`

const about = (stage: StageStory): string =>
  [
    stage.node,
    stage.step === 0 ? "" : `${stage.step.toLocaleString("en-US")} of ${stage.steps.toLocaleString("en-US")} steps`,
    showSeconds(stage.seconds),
    stage.amount > 0 && stage.seconds > 0
      ? `${showNumber(Number((stage.amount / stage.seconds).toPrecision(3)))} ${stage.unit}/s`
      : "",
    stage.nonFinite === 0
      ? ""
      : `${stage.nonFinite} ${stage.nonFinite === 1 ? "step" : "steps"} with a value that is not finite`,
  ]
    .filter((part) => part !== "")
    .join(" · ")

/** Whether a stage has more to show than its tables, which stand with the results. */
export const hasSection = ({ points, samples, notes }: StageStory): boolean =>
  points.length + samples.length + notes.length > 0

export const stageSection = (stage: StageStory, index: number): Html => {
  const names = valueNames(stage)
  const [first, newest] = stage.samples
  const shown = newest ?? first
  return html`<section class="stage" id="stage-${index}"><header><h2>${stage.name}</h2></header>
<p class="about">${about(stage)}</p>
${
  names.length === 0
    ? undefined
    : html`<div class="curves">${names.map((name) => curveFigure(index, name, stage.last[name]))}</div>`
}
${shown === undefined ? undefined : html`<div class="block"><h3>${samplesTitle(shown.step)}</h3>${samplesTable(shown)}</div>`}
${first !== undefined && newest !== undefined ? html`<details><summary>${samplesTitle(first.step)}</summary>${samplesTable(first)}</details>` : undefined}
${stage.notes.length === 0 ? undefined : html`<div class="block"><h3>Notes</h3><ul class="notes">${stage.notes.map((note) => html`<li>${note}</li>`)}</ul></div>`}
</section>`
}

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
  /** Steps at which a value was no finite number, by its name. */
  readonly broken?: Readonly<Record<string, ReadonlyArray<number>>>
  /** The same of another run, to be drawn over it. */
  readonly other?: CurveData
}

/** What is told most of a model comes first. */
const rank = (name: string): number =>
  name === "loss" ? 0 : /loss|reward|accuracy/i.test(name) ? 1 : /^learning-?rate$/i.test(name) ? 3 : 2

export const valueNames = (stage: StageStory): ReadonlyArray<string> =>
  [...new Set(stage.points.flatMap(({ values }) => Object.keys(values)))].sort((a, b) => rank(a) - rank(b))

type Point = StageStory["points"][number]

/** The drawn points and those without a finite value, which must be seen however few are drawn. */
const withBroken = (points: ReadonlyArray<Point>, broken: StageStory["broken"]): ReadonlyArray<Point> => {
  const there = new Set(points.map(({ step }) => step))
  const more = broken.filter(({ step }) => !there.has(step)).map(({ step }) => ({ step, values: {} }))
  return more.length === 0 ? points : [...points, ...more].sort((a, b) => a.step - b.step)
}

export const curveData = (stage: StageStory): CurveData => {
  const every = Math.ceil(stage.points.length / mostDrawn)
  const last = stage.points.length - 1
  const drawn = stage.points.filter((_, i) => i === last || (i % every === 0 && last - i >= every / 2))
  const points = withBroken(drawn, stage.broken)
  const column = (name: string): ReadonlyArray<number | null> =>
    points.map(({ values }) => {
      const value = values[name]
      return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(5))
    })
  const names = valueNames(stage)
  const broken = names.flatMap((name) => {
    const steps = stage.broken.filter((one) => one.names.includes(name)).map(({ step }) => step)
    return steps.length === 0 ? [] : [[name, steps] as const]
  })
  return {
    steps: points.map(({ step }) => step),
    values: Object.fromEntries(names.map((name) => [name, column(name)])),
    ...(broken.length > 0 && { broken: Object.fromEntries(broken) }),
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
    stage.status === "cached" ? `found in the store, made by run ${stage.from ?? "?"}` : showSeconds(stage.seconds),
    stage.amount > 0 && stage.seconds > 0 && stage.status !== "cached"
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

/** What acts on all curves of a page. */
export const curveTools = html`<div class="tools"><label>Smoothing <input type="range" id="smooth" min="0" max="0.99" step="0.01" value="0.8"> <output>0.80</output></label>
<label><input type="checkbox" id="log"> Logarithmic where all values are positive</label></div>`

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

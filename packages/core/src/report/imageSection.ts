/** Images of a run in its report: for each title what it was at first, on the way and in the end. */
import { type Html, html } from "./html.js"
import { imageGrid } from "./imageGrid.js"
import type { Images } from "./pictures.js"
import type { StageStory } from "./story.js"

/** Bytes of the images in a report and of the words below them, as they are written in it. */
const mostBytes = 8e6

const costOf = (grid: Images, png: Uint8Array): number =>
  Math.ceil((png.length * 4) / 3) + [...grid.texts, ...grid.rowNames, ...grid.columnNames].join("").length * 2

/**
 * The files that a report has room for: the newest grid of every title first, then the first ones, then those between.
 * @param files  bytes by path
 */
export const embedded = (
  stages: ReadonlyArray<StageStory>,
  files: ReadonlyMap<string, Uint8Array>,
  most = mostBytes,
): ReadonlyMap<string, Uint8Array> => {
  const titles = stages.toReversed().flatMap((stage) => [...stage.images.values()].map(({ grids }) => grids))
  const wanted = [
    ...titles.flatMap((grids) => grids.slice(-1)),
    ...titles.flatMap((grids) => grids.slice(0, -1).slice(0, 1)),
    ...titles.flatMap((grids) => grids.slice(1, -1)),
  ]
  const inside = new Map<string, Uint8Array>()
  let used = 0
  for (const { grid } of wanted) {
    const png = files.get(grid.file)
    if (png === undefined || inside.has(grid.file)) continue
    const cost = costOf(grid, png)
    if (used + cost > most) continue
    used += cost
    inside.set(grid.file, png)
  }
  return inside
}

const stepName = (step: number): string => (step === 0 ? "start" : step.toLocaleString("en-US"))

/** What stands on the button of each grid: its step, or its number where steps do not tell them apart. */
const buttonNames = (shown: ReadonlyArray<Images>): ReadonlyArray<string> =>
  new Set(shown.map(({ step }) => step)).size === shown.length
    ? shown.map(({ step }, i) => (i === 0 && step !== 0 ? `step ${stepName(step)}` : stepName(step)))
    : shown.map((_, i) => String(i + 1))

const picturesOf = (
  stage: StageStory,
  title: string,
  shown: ReadonlyArray<Images>,
  files: ReadonlyMap<string, Uint8Array>,
  id: string,
): Html => {
  const part = (grid: Images, i: number): Html =>
    imageGrid({
      grid,
      png: files.get(grid.file),
      id: `${id}-sheet-${i}`,
      label: grid.step === 0 ? title : `${title} after step ${stepName(grid.step)}`,
    })
  const [only] = shown
  if (only === undefined) return html``
  const head = html`<figcaption>${title} <span class="tag">${stage.name}</span></figcaption>`
  if (shown.length === 1) return html`<figure class="pictures">${head}${part(only, 0)}</figure>`
  const names = buttonNames(shown)
  // Radio buttons and style alone: the arrow keys go through the steps, also without scripts.
  return html`<figure class="pictures">${head}
<div class="frames" role="radiogroup" aria-label="Step at which ${title} is shown">${shown.map(
    (_, i) =>
      html`<input type="radio" name="${id}" id="${id}-${i}"${i === shown.length - 1 ? html` checked` : undefined}><label for="${id}-${i}">${names[i]}</label>`,
  )}${shown.map((grid, i) => html`<div class="frame">${part(grid, i)}</div>`)}</div></figure>`
}

/** Every title of every stage, the last stage's first; undefined where a run shows no images. */
export const imageSection = (
  stages: ReadonlyArray<StageStory>,
  files: ReadonlyMap<string, Uint8Array>,
): Html | undefined => {
  const all = stages
    .toReversed()
    .flatMap((stage) => [...stage.images].map(([title, { grids }]) => ({ stage, title, grids })))
  if (all.length === 0) return undefined
  const figures = all.map(({ stage, title, grids }, i) => {
    const there = grids.map(({ grid }) => grid).filter(({ file }) => files.has(file))
    // What has no room in the page is told by its path.
    return picturesOf(
      stage,
      title,
      there.length === 0 ? grids.slice(-1).map(({ grid }) => grid) : there,
      files,
      `images-${i}`,
    )
  })
  return html`<section id="images"><h2>Images</h2>${figures}</section>`
}

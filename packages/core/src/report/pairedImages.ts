/** The newest images of two runs, title by title, one below the other. */
import type { StageDifference } from "../runs/diffRuns.js"
import { type Html, html } from "./html.js"
import { imageGrid } from "./imageGrid.js"
import { embedded } from "./imageSection.js"
import type { StageStory } from "./story.js"

/** Bytes of the images of each run. */
const mostBytes = 4e6

const present = (stages: ReadonlyArray<StageStory | undefined>): ReadonlyArray<StageStory> =>
  stages.filter((stage) => stage !== undefined)

/** Undefined where neither run has an image that can be shown. */
export const pairedImages = (
  stages: ReadonlyArray<StageDifference>,
  filesOfA: ReadonlyMap<string, Uint8Array>,
  filesOfB: ReadonlyMap<string, Uint8Array>,
): Html | undefined => {
  const inA = embedded(present(stages.map(({ a }) => a)), filesOfA, mostBytes)
  const inB = embedded(present(stages.map(({ b }) => b)), filesOfB, mostBytes)
  let ids = 0
  const side = (letter: "A" | "B", stage: StageStory | undefined, title: string): Html | undefined => {
    const grid = stage?.images.get(title)?.grids.at(-1)?.grid
    const png = grid === undefined ? undefined : (letter === "A" ? inA : inB).get(grid.file)
    if (grid === undefined || png === undefined) return undefined
    const part = imageGrid({ grid, png, id: `pair-${ids++}`, label: `${title}, ${letter}` })
    return html`<div class="side"><p class="more"><strong class="${letter === "A" ? "accent" : "second"}">${letter}</strong></p>${part}</div>`
  }
  const figures = stages.toReversed().flatMap(({ stage: name, a, b }) => {
    const titles = new Set([...(a?.images.keys() ?? []), ...(b?.images.keys() ?? [])])
    return [...titles].flatMap((title) => {
      const sides = [side("A", a, title), side("B", b, title)].filter((one) => one !== undefined)
      return sides.length === 0
        ? []
        : [
            html`<figure class="pictures"><figcaption>${title} <span class="tag">${name}</span></figcaption>${sides}</figure>`,
          ]
    })
  })
  return figures.length === 0 ? undefined : html`<section id="images"><h2>Images</h2>${figures}</section>`
}

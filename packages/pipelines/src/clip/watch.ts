/** What is looked at while a CLIP learns: the images that it finds for some texts. */
import { type BadData, type EngineError, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import type { CaptionedImages } from "../artifacts/captionedImages.js"
import { showImages } from "../images/showImages.js"
import { Count } from "../ranges.js"
import type { ClipEmbedder } from "./embedder.js"
import { retrievedGrid } from "./grids.js"
import { measureSet } from "./measure.js"
import { Template } from "./template.js"

export const ClipWatch = Schema.Struct({
  /** Steps from one look to the next. */
  every: Count,
  /** Texts whose images are looked for. */
  queries: Schema.NonEmptyArray(Schema.String),
  /** Images that are shown for each. */
  columns: Count,
  /** Images that are looked through, of the shifted set where there is one, else of the held-out. */
  images: Count,
  /** Prompts of a class, `{}` in the place of its name. */
  templates: Schema.NonEmptyArray(Template),
})
export type ClipWatch = typeof ClipWatch.Type

/** The table's rows: the step, and a share for each measure. */
const Rows = Schema.Array(Schema.Array(Schema.Number))

export interface ClipWatcher {
  readonly look: (embedder: ClipEmbedder, step: number) => Effect.Effect<void, EngineError | BadData, Stage>
  /** The table so far, for checkpoints. */
  readonly gathered: { readonly read: () => unknown; readonly write: (gathered: unknown) => void }
}

/**
 * A look at a CLIP: the nearest images of each text, and how often the right one is among the nearest, as a table that grows
 * with every look.
 */
export const clipWatcher = (
  { queries, columns, images: most, templates }: ClipWatch,
  { size, heldOut, shifted }: CaptionedImages,
): ClipWatcher => {
  const set = shifted ?? heldOut
  let rows: typeof Rows.Type = []
  const look: ClipWatcher["look"] = (embedder, step) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const { images, imageFeatures, measures } = yield* measureSet(embedder, set, most, templates)
      const texts = { joint: embedder.joint, data: yield* embedder.texts(queries) }
      const grid = retrievedGrid("found for a text", queries, texts, images, imageFeatures, size, columns)
      yield* showImages({ ...grid, step })
      rows = [...rows, [step, ...measures.map(({ share }) => Number((100 * share.mean).toFixed(1)))]]
      const names = measures.map(({ name, at }) => `${name}@${at} %`)
      yield* emit({
        type: "stage.table",
        title: `While it learns: ${images.length} images of ${shifted === undefined ? "held-out concepts" : "another hand"}`,
        columns: ["step", ...names],
        rows,
        curve: { x: "step", y: names },
      })
    })
  return {
    look,
    gathered: {
      read: () => rows,
      write: (gathered) => {
        rows = Schema.is(Rows)(gathered) ? gathered : []
      },
    },
  }
}

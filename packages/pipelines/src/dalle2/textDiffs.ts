/** Stage: images changed by words, from what one caption says of them towards what another does. */
import { artifact, BadConfig, defineStageNode, float32, Stage } from "@millrace/core"
import { takeRows } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { type EmbeddedSet, embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { imageDecoderKind, imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { clipEmbedder } from "../clip/embedder.js"
import { showImages } from "../images/showImages.js"
import { Fraction } from "../ranges.js"
import { interval, shown } from "../statistics.js"
import { rowCosines } from "./embeddingMetrics.js"
import { LatentSampling, openLatents } from "./latents.js"
import { sharesTo, turned } from "./shares.js"

const Edit = Schema.Struct({
  /** Words of a caption, and what stands in their place. */
  from: Schema.NonEmptyString,
  to: Schema.NonEmptyString,
})
type Edit = typeof Edit.Type

interface Edited {
  readonly row: number
  readonly base: string
  readonly text: string
}

/** The text with the words replaced, or null where it does not have them. Whole words alone count. */
const replaced = (caption: string, { from, to }: Edit): string | null => {
  const padded = ` ${caption} `
  return padded.includes(` ${from} `) ? padded.replace(` ${from} `, ` ${to} `).trim() : null
}

/** For each edit the first image that has its words in a caption, and is not another edit's. */
const editedBy = (set: EmbeddedSet, edits: ReadonlyArray<Edit>): ReadonlyArray<Edited> => {
  const taken = new Set<number>()
  return edits.flatMap((edit) => {
    for (let row = 0; row < set.indices.length; row++) {
      if (taken.has(row)) continue
      for (const base of set.captions.slice(set.first[row], set.first[row + 1])) {
        const text = replaced(base, edit)
        if (text === null) continue
        taken.add(row)
        return [{ row, base, text }]
      }
    }
    return []
  })
}

export const textDiffsStage = defineStageNode({
  type: "dalle2.textDiffs",
  version: 1,
  source: "Ramesh et al. 2022, section 3.3",
  config: Schema.Struct({
    /** Each on the first held-out image that has its words in a caption. */
    edits: Schema.NonEmptyArray(Edit),
    /** Images of a strip, the unchanged one included. */
    steps: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)),
    /** How far the embedding is turned: between 0.25 and 0.5 in the paper. */
    most: Fraction,
    sampling: LatentSampling,
  }),
  ports: {
    in: {
      images: artifact(captionedImagesKind),
      embeddings: artifact(embeddingsKind),
      clip: artifact(clipModelKind),
      decoder: artifact(imageDecoderKind),
      upsampler: artifact(imageUpsamplerKind),
    },
    out: artifact(evaluationKind),
  },
  run: ({ edits, steps, most, sampling }, { images, embeddings: { heldOut }, ...networks }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const edited = editedBy(heldOut, edits)
      const n = edited.length
      if (n === 0) {
        return yield* new BadConfig({
          where: "dalle2.textDiffs > edits",
          expected: "words of at least one held-out caption",
          received: edits.map(({ from }) => `"${from}"`).join(", "),
          fix: `take words of captions such as "${heldOut.captions[0] ?? ""}"`,
        })
      }
      const read = yield* images.heldOut.read(edited.map(({ row }) => heldOut.indices[row]!))
      const pixels = read.map((image) => image.pixels)
      const { encode, decodeWith, embed } = yield* openLatents(networks, sampling)
      const words = yield* clipEmbedder(networks.clip)
      const textOf = (captions: ReadonlyArray<string>) =>
        Effect.map(words.texts(captions), (data) => float32([n, words.joint], data))
      const text = yield* textOf(edited.map((each) => each.text))
      const base = yield* textOf(edited.map((each) => each.base))
      const latents = yield* encode(pixels)
      const shares = sharesTo(most, steps)
      const made = yield* (yield* decodeWith(0))(yield* turned(latents, text, base, shares), key)
      const seen = yield* embed(made)
      const at = (step: number, with_: typeof text) =>
        interval(
          rowCosines(
            takeRows(
              seen,
              edited.map((_, i) => i * steps + step),
            ),
            with_,
          ),
        )
      const table = {
        title: `CLIP score of ${n} images on the way from one caption to another`,
        columns: ["share", "with the first caption [95 %]", "with the second [95 %]"],
        rows: shares.map((share, step) => [Number(share.toFixed(3)), shown(at(step, base)), shown(at(step, text))]),
      }
      yield* emit({ type: "stage.table", ...table })
      yield* showImages({
        title: "text differences",
        size: [images.size, images.size],
        columns: steps + 1,
        tiles: edited.flatMap((_, i) => [
          { pixels: pixels[i]! },
          ...made.slice(i * steps, (i + 1) * steps).map((each) => ({ pixels: each })),
        ]),
        columnNames: ["image", ...shares.map((share) => share.toFixed(2))],
        rowNames: edited.map((each) => `${each.base} → ${each.text}`),
      })
      const metrics = {
        edits: n,
        "text.scoreAtStart": at(0, text).mean,
        "text.scoreAtEnd": at(steps - 1, text).mean,
        "base.scoreAtStart": at(0, base).mean,
        "base.scoreAtEnd": at(steps - 1, base).mean,
      }
      return { metrics, tables: [table], samples: { columns: [], rows: [] } } satisfies Evaluation
    }),
})

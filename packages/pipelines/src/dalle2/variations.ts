/** Stage: variations of images. What CLIP recognises stays, what it does not see is drawn anew. */
import { artifact, defineStageNode, Stage, split } from "@millrace/core"
import { takeRows } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { imageDecoderKind, imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { showImages } from "../images/showImages.js"
import { Count, Fraction } from "../ranges.js"
import { interval, shown } from "../statistics.js"
import { rowCosines } from "./embeddingMetrics.js"
import { LatentSampling, openLatents } from "./latents.js"
import { pickCaptions } from "./pickCaptions.js"

export const variationsStage = defineStageNode({
  type: "dalle2.variations",
  version: 1,
  source: "Ramesh et al. 2022, section 3.1",
  config: Schema.Struct({
    /** Held-out images. */
    images: Count,
    /** Variations of each. */
    each: Count,
    /** Of DDIM: the larger, the further from the image. */
    eta: Fraction,
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
  run: ({ each, eta, sampling, ...config }, { images, embeddings: { heldOut }, ...networks }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const picked = pickCaptions(heldOut, config.images)
      const n = picked.rows.length
      const read = yield* images.heldOut.read(picked.rows.map((row) => heldOut.indices[row]!))
      const pixels = read.map((image) => image.pixels)
      const { encode, decodeWith, embed } = yield* openLatents(networks, sampling)
      const latents = yield* encode(pixels)
      const again = yield* (yield* decodeWith(0))(latents, key)
      const rows = Array.from({ length: n * each }, (_, i) => Math.floor(i / each))
      const varied = yield* (yield* decodeWith(eta))(
        { embedding: takeRows(latents.embedding, rows), noise: takeRows(latents.noise, rows) },
        split(key, "variations"),
      )
      const seen = yield* embed(varied)
      const own = interval(rowCosines(seen, takeRows(latents.embedding, rows)))
      const other = interval(
        rowCosines(
          seen,
          takeRows(
            latents.embedding,
            rows.map((row) => (row + 1) % n),
          ),
        ),
      )
      const back = interval(rowCosines(yield* embed(again), latents.embedding))
      const table = {
        title: `${each} variations of each of ${n} held-out images`,
        columns: ["cosine of", "with the image [95 %]"],
        rows: [
          ["its variations", shown(own)],
          ["variations of another", shown(other)],
          ["the image there and back", shown(back)],
        ],
      }
      yield* emit({ type: "stage.table", ...table })
      yield* showImages({
        title: "variations",
        size: [images.size, images.size],
        columns: each + 2,
        tiles: pixels.flatMap((image, i) => [
          { pixels: image },
          { pixels: again[i]! },
          ...varied.slice(i * each, (i + 1) * each).map((variation) => ({ pixels: variation })),
        ]),
        columnNames: ["image", "there and back", ...Array.from({ length: each }, (_, i) => `variation ${i + 1}`)],
        rowNames: picked.captions,
      })
      const metrics = { images: n, "own.cosine": own.mean, "other.cosine": other.mean, "back.cosine": back.mean }
      return { metrics, tables: [table], samples: { columns: [], rows: [] } } satisfies Evaluation
    }),
})

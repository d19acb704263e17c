/** Stage: images between two images, by their embeddings and their noise alike. */
import { artifact, defineStageNode, type HostTensor, Stage } from "@millrace/core"
import { type Latents, takeRows } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { imageDecoderKind, imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { showImages } from "../images/showImages.js"
import { Count } from "../ranges.js"
import { interval, shown } from "../statistics.js"
import { rowCosines } from "./embeddingMetrics.js"
import { LatentSampling, openLatents } from "./latents.js"
import { pickCaptions } from "./pickCaptions.js"
import { between, sharesTo } from "./shares.js"

export const interpolationsStage = defineStageNode({
  type: "dalle2.interpolations",
  version: 1,
  source: "Ramesh et al. 2022, section 3.2",
  config: Schema.Struct({
    /** Pairs of held-out images. */
    pairs: Count,
    /** Images of a strip, its ends included. */
    steps: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)),
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
  run: ({ steps, sampling, ...config }, { images, embeddings: { heldOut }, ...networks }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const picked = pickCaptions(heldOut, 2 * config.pairs)
      const pairs = Math.floor(picked.rows.length / 2)
      const read = yield* images.heldOut.read(picked.rows.map((row) => heldOut.indices[row]!))
      const pixels = read.map((image) => image.pixels)
      const { encode, decodeWith, embed } = yield* openLatents(networks, sampling)
      const latents = yield* encode(pixels)
      const ends = (side: 0 | 1): Latents<HostTensor> => {
        const rows = Array.from({ length: pairs }, (_, i) => 2 * i + side)
        return { embedding: takeRows(latents.embedding, rows), noise: takeRows(latents.noise, rows) }
      }
      const shares = sharesTo(1, steps)
      const made = yield* (yield* decodeWith(0))(yield* between(ends(0), ends(1), shares), key)
      const seen = yield* embed(made)
      const at = (side: 0 | 1, step: number) =>
        interval(
          rowCosines(
            takeRows(
              seen,
              Array.from({ length: pairs }, (_, i) => i * steps + step),
            ),
            ends(side).embedding,
          ),
        )
      const table = {
        title: `Cosine of ${pairs} interpolations with the embeddings of their ends`,
        columns: ["share", "with the first [95 %]", "with the second [95 %]"],
        rows: shares.map((share, step) => [Number(share.toFixed(3)), shown(at(0, step)), shown(at(1, step))]),
      }
      yield* emit({ type: "stage.table", ...table })
      yield* showImages({
        title: "interpolations",
        size: [images.size, images.size],
        columns: steps + 2,
        tiles: Array.from({ length: pairs }, (_, i) => [
          { pixels: pixels[2 * i]! },
          ...made.slice(i * steps, (i + 1) * steps).map((each) => ({ pixels: each })),
          { pixels: pixels[2 * i + 1]! },
        ]).flat(),
        columnNames: ["image", ...shares.map((share) => share.toFixed(2)), "image"],
        rowNames: Array.from({ length: pairs }, (_, i) => `${picked.captions[2 * i]} → ${picked.captions[2 * i + 1]}`),
      })
      const metrics = {
        pairs,
        "first.cosineAtStart": at(0, 0).mean,
        "first.cosineAtEnd": at(0, steps - 1).mean,
        "second.cosineAtStart": at(1, 0).mean,
        "second.cosineAtEnd": at(1, steps - 1).mean,
      }
      return { metrics, tables: [table], samples: { columns: [], rows: [] } } satisfies Evaluation
    }),
})

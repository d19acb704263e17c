/** Stage: are images that a decoder makes of embeddings recognised as theirs? */
import { artifact, defineStageNode, float32, Stage, split } from "@millrace/core"
import { takeRows } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { imageDecoderKind, imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { clipEmbedder } from "../clip/embedder.js"
import { showImages } from "../images/showImages.js"
import { Count, CountOrZero } from "../ranges.js"
import { share } from "../share.js"
import { interval, shown } from "../statistics.js"
import { ranks, rowCosines } from "./embeddingMetrics.js"
import { ImageSampling, openImageMaker } from "./imageMaker.js"
import { pickImages } from "./pickCaptions.js"

export const retrievalStage = defineStageNode({
  type: "dalle2.retrieval",
  version: 1,
  config: Schema.Struct({
    /** Held-out images at most, each decoded once from its embedding alone. */
    images: Count,
    /** Of these the first so many are shown beside the images. */
    shown: CountOrZero,
    sampling: ImageSampling,
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
  run: (config, { images, embeddings: { heldOut }, clip, decoder, upsampler }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const picked = pickImages(heldOut, config.images)
      const n = picked.rows.length
      const { make } = yield* openImageMaker(decoder, upsampler, config.sampling)
      const made = yield* make({ embedding: picked.image }, split(key, "images"))
      const embedder = yield* clipEmbedder(clip)
      const again = float32([n, embedder.joint], yield* embedder.images(made))
      const places = ranks(again, picked.image)
      const at = (k: number) => share(places.filter((rank) => rank < k).length, n)
      const cosine = interval(rowCosines(again, picked.image))
      const others = interval(rowCosines(again, takeRows(picked.image, rotated(n))))
      const table = {
        title: `Images made of ${n} held-out embeddings, retrieved among all ${n}`,
        columns: ["measure", "value [95 %]", "by chance"],
        rows: [
          ["its own embedding first", shown(at(1)), (1 / n).toFixed(4)],
          ["among the first 5", shown(at(5)), (Math.min(5, n) / n).toFixed(4)],
          ["cosine with its embedding", shown(cosine), shown(others)],
        ],
      }
      yield* emit({ type: "stage.table", ...table })
      const times = at(1).mean * n
      yield* emit({
        type: "stage.note",
        text: `retrieval@1 is ${times.toFixed(1)} times chance, at least ${(at(1).low * n).toFixed(1)} times with 95 % confidence`,
      })
      const columns = Math.min(config.shown, n)
      if (columns > 0) {
        const real = yield* images.heldOut.read(picked.rows.slice(0, columns).map((row) => heldOut.indices[row]!))
        yield* showImages({
          title: "held-out images, and what is made of their embeddings",
          size: [images.size, images.size],
          columns,
          tiles: [
            ...real.map(({ pixels }, i) => ({ pixels, text: picked.captions[i]! })),
            ...made.slice(0, columns).map((pixels) => ({ pixels })),
          ],
          rowNames: ["image", "made"],
        })
      }
      const metrics = {
        images: n,
        retrievalAt1: at(1).mean,
        retrievalAt1Low: at(1).low,
        retrievalAt1High: at(1).high,
        retrievalAt5: at(5).mean,
        timesChance: times,
        cosine: cosine.mean,
      }
      return { metrics, tables: [table], samples: { columns: [], rows: [] } } satisfies Evaluation
    }),
})

/** Each row's neighbour: another image's embedding. */
const rotated = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => (i + 1) % n)

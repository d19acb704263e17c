/**
 * Stage: captions become images, by prior, decoder and upsampler, with weak and with strong guidance.
 * It has no checkpoints: a run that is stopped in it starts it over.
 */
import { artifact, defineStageNode, float32, type HostTensor, Stage, split } from "@millrace/core"
import { Effect, Schema } from "effect"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { imageDecoderKind, imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { unclipPriorKind } from "../artifacts/unclipPrior.js"
import { clipEmbedder } from "../clip/embedder.js"
import { showImages } from "../images/showImages.js"
import { Count, CountOrZero } from "../ranges.js"
import { share } from "../share.js"
import { interval, shown } from "../statistics.js"
import { ranks, rowCosines } from "./embeddingMetrics.js"
import { ImageSampling, openImageMaker } from "./imageMaker.js"
import { pickCaptions } from "./pickCaptions.js"
import { openPrior, PriorSampling } from "./priorSampler.js"

export const unclipSampleStage = defineStageNode({
  type: "dalle2.sample",
  version: 1,
  source: "Ramesh et al. 2022, figure 2 and section 5.2",
  config: Schema.Struct({
    /** Held-out captions at most, one image each. */
    captions: Count,
    /** Whether the decoder is told the caption beside the embedding. */
    told: Schema.Boolean,
    prior: PriorSampling,
    images: ImageSampling,
    /** Scales of the decoder's guidance that are compared: 0 is no condition, 1 none beyond it. */
    scales: Schema.NonEmptyArray(Schema.Finite),
    /** Captions that the comparison shows. */
    compared: CountOrZero,
    /** Captions that are shown with their image at the guidance of `images`. */
    shown: CountOrZero,
  }),
  ports: {
    in: {
      embeddings: artifact(embeddingsKind),
      clip: artifact(clipModelKind),
      prior: artifact(unclipPriorKind),
      decoder: artifact(imageDecoderKind),
      upsampler: artifact(imageUpsamplerKind),
    },
    out: artifact(evaluationKind),
  },
  run: (config, { embeddings, clip, prior, decoder, upsampler }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const { captions, text } = pickCaptions(embeddings.heldOut, config.captions)
      const n = captions.length
      const imagine = yield* openPrior(prior, clip.tokenizer, config.prior)
      const embedding = yield* imagine({ captions, textEmbedding: text }, key)
      const { make, guidedBy } = yield* openImageMaker(decoder, upsampler, config.images)
      const embedder = yield* clipEmbedder(clip)
      const wanted = { embedding, ...(config.told ? { captions } : {}) }
      const embed = (made: ReadonlyArray<Uint8Array>) =>
        Effect.map(embedder.images(made), (data): HostTensor => float32([n, embedder.joint], data))

      const metrics: Record<string, number> = { captions: n }
      const rows: Array<ReadonlyArray<string | number>> = []
      const grids: Array<ReadonlyArray<Uint8Array>> = []
      for (const scale of config.scales) {
        const made = yield* (yield* guidedBy(scale))(wanted, split(key, "images"))
        const seen = yield* embed(made)
        const [score, cosine] = [interval(rowCosines(seen, text)), interval(rowCosines(seen, embedding))]
        const found = share(ranks(seen, text).filter((rank) => rank === 0).length, n)
        rows.push([scale, shown(score), shown(cosine), shown(found)])
        grids.push(made)
        metrics[`scale${scale}.clipScore`] = score.mean
        metrics[`scale${scale}.cosine`] = cosine.mean
        metrics[`scale${scale}.captionFound`] = found.mean
      }
      const table = {
        title: `Guidance of the decoder, ${n} held-out captions`,
        columns: [
          "scale",
          "CLIP score: cosine with the caption [95 %]",
          "cosine with the prior's embedding [95 %]",
          `its caption first of ${n} [95 %]`,
        ],
        rows,
      }
      yield* emit({ type: "stage.table", ...table })

      const size = upsampler.to
      const compared = Math.min(config.compared, n)
      if (compared > 0) {
        yield* showImages({
          title: "captions by scale of guidance",
          size: [size, size],
          columns: config.scales.length,
          tiles: Array.from({ length: compared }, (_, i) => grids.map((made) => ({ pixels: made[i]! }))).flat(),
          columnNames: config.scales.map((scale) => `scale ${scale}`),
          rowNames: captions.slice(0, compared),
        })
      }
      const best = Math.min(config.shown, n)
      if (best > 0) {
        const made = yield* make(wanted, split(key, "images"))
        yield* showImages({
          title: "images of held-out captions",
          size: [size, size],
          columns: Math.min(8, best),
          tiles: made.slice(0, best).map((pixels, i) => ({ pixels, text: captions[i]! })),
        })
      }
      return { metrics, tables: [table], samples: { columns: [], rows: [] } } satisfies Evaluation
    }),
})

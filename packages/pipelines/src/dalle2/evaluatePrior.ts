/** Stage: how close a prior's embeddings come to those of the images that captions are of. */
import { artifact, defineStageNode, float32, type HostTensor, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { unclipPriorKind } from "../artifacts/unclipPrior.js"
import { Count } from "../ranges.js"
import { share } from "../share.js"
import { interval, rounded, shown } from "../statistics.js"
import { ranks, rowCosines } from "./embeddingMetrics.js"
import { pickImages } from "./pickCaptions.js"
import { lengthOne, openPrior, PriorSampling } from "./priorSampler.js"

/** float32 n c -> 1 c */
const meanRow = ({ shape: [n = 0, c = 0], data }: HostTensor): HostTensor => {
  const sum = new Float32Array(c)
  for (let i = 0; i < n * c; i++) sum[i % c]! += data[i]! / n
  return float32([1, c], sum)
}

export const evaluatePriorStage = defineStageNode({
  type: "dalle2.evaluatePrior",
  version: 1,
  config: Schema.Struct({
    /** Held-out images at most, each with one caption. */
    captions: Count,
    sampling: PriorSampling,
  }),
  ports: {
    in: {
      prior: artifact(unclipPriorKind),
      embeddings: artifact(embeddingsKind),
      clip: artifact(clipModelKind),
    },
    out: artifact(evaluationKind),
  },
  run: (config, { prior, embeddings, clip }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const picked = pickImages(embeddings.heldOut, config.captions)
      const sample = yield* openPrior(prior, clip.tokenizer, config.sampling)
      const predicted = yield* sample({ captions: picked.captions, textEmbedding: picked.text }, key)
      const n = picked.rows.length
      const mean = lengthOne(meanRow(embeddings.train.image))
      const cosine = {
        prior: rowCosines(predicted, picked.image),
        text: rowCosines(picked.text, picked.image),
        mean: rowCosines(picked.image, mean),
      }
      const gain = interval(cosine.prior.map((value, i) => value - cosine.text[i]!))
      const found = (queries: HostTensor, among: number) =>
        share(ranks(queries, picked.image).filter((rank) => rank < among).length, n)
      const rowOf = (name: string, cosines: ReadonlyArray<number>, queries: HostTensor | null) => [
        name,
        shown(interval(cosines)),
        ...[1, 5].map((k) => (queries === null ? "" : shown(found(queries, k)))),
      ]
      const table = {
        title: `Embeddings of ${n} held-out captions against those of their images`,
        columns: ["embedding", "cosine [95 %]", `its image first of ${n} [95 %]`, "among the first 5 [95 %]"],
        rows: [
          rowOf(`${prior.kind} prior`, cosine.prior, predicted),
          rowOf("the caption's own", cosine.text, picked.text),
          rowOf("the mean of all training images", cosine.mean, null),
          ["prior − caption, in pairs", shown(gain), "", ""],
        ],
      }
      yield* emit({ type: "stage.table", ...table })
      const metrics: Record<string, number> = { captions: n, gain: gain.mean, gainLow: gain.low, gainHigh: gain.high }
      for (const [name, cosines] of Object.entries(cosine)) {
        const { mean, low, high } = interval(cosines)
        Object.assign(metrics, { [`${name}.cosine`]: mean, [`${name}.cosineLow`]: low, [`${name}.cosineHigh`]: high })
      }
      metrics["prior.retrievalAt1"] = found(predicted, 1).mean
      metrics["text.retrievalAt1"] = found(picked.text, 1).mean
      const samples = {
        columns: ["caption", "cosine of the prior", "cosine of the caption"],
        rows: picked.captions
          .slice(0, 8)
          .map((caption, i) => [caption, `${rounded(cosine.prior[i]!, 3)}`, `${rounded(cosine.text[i]!, 3)}`]),
      }
      yield* emit({ type: "stage.samples", ...samples })
      return { metrics, tables: [table], samples } satisfies Evaluation
    }),
})

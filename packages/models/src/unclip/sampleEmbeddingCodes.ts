/** Embeddings of images from captions, code by code. */
import {
  attempt,
  BadData,
  type EngineError,
  float32,
  type HostTensor,
  type Key,
  random,
  type State,
  split,
} from "@millrace/core"
import { Effect } from "effect"
import { checkRows, rowBatches, takeRows } from "../diffusion/rows.js"
import { drawRows } from "../sample/drawRows.js"
import { type Captions, captionSpecs } from "./captions.js"
import type { AutoregressivePriorSampler } from "./compileAutoregressivePriorSampler.js"
import { upperHalf } from "./upperHalf.js"

/** Codes and what they stand for: a row for each caption. */
export interface EmbeddingCodes {
  /** float32  n c */
  readonly embeddings: HostTensor
  /** int32  n k */
  readonly codes: HostTensor
  /** Log-probability of each code under the model's own distribution (temperature 1, nothing guided or filtered), in nats. float32  n k */
  readonly logProb: HostTensor
  /** The same under the distribution that was sampled. float32  n k */
  readonly sampledLogProb: HostTensor
  /** z_image · z_text that was asked for. float32  n */
  readonly dots: HostTensor
}

/**
 * An embedding for each caption; name a caption several times for several of it.
 *
 * Code j of caption i is drawn with uniform number i · k + j of the key: it depends on the key, the caption's place among the
 * captions and j, not on the size of the batches. So does the dot product, one of the upper half of the training data's.
 * @param policy  the parameters, under the names that training gives them
 * @fails  ShapeMismatch  captions that the sampler was not compiled for
 * @fails  BadData        no dot products, or one that is no number
 * @source Ramesh et al. 2022, section 2.2
 */
export const sampleEmbeddingCodes = (
  sampler: AutoregressivePriorSampler,
  policy: State,
  captions: Captions,
  key: Key,
): Effect.Effect<EmbeddingCodes, BadData | EngineError> =>
  Effect.gen(function* () {
    const { model, config } = sampler
    const { textEmbedding, text, mask } = captions
    const n = mask.shape[0] ?? 0
    const wrong = checkRows("sampleEmbeddingCodes", captionSpecs(model), { textEmbedding, text, mask }, n)
    if (wrong !== null) return yield* wrong
    const [b, k, c] = [config.batch, model.codes, model.embedding]
    const upper = (yield* attempt(BadData, () => upperHalf(config.dots))).data
    const dots = random.uniform(split(key, "dots"), [n]).data.map((u) => upper[Math.floor(u * upper.length)]!)
    const { code, logProb, sampledLogProb } = yield* drawRows(
      { count: n, batch: b, length: k },
      split(key, "codes"),
      { code: "int32", logProb: "float32", sampledLogProb: "float32" },
      (rows, uniform) =>
        sampler.batch(policy, {
          textEmbedding: takeRows(textEmbedding, rows),
          text: takeRows(text, rows),
          mask: takeRows(mask, rows),
          dot: float32(
            [b],
            Float32Array.from(rows, (row) => dots[row]!),
          ),
          uniform,
        }),
    )
    const embeddings = new Float32Array(n * c)
    for (const rows of rowBatches(n, b)) {
      const decoded = (yield* sampler.decode(takeRows(code, rows))).embeddings!.data
      embeddings.set(decoded.subarray(0, Math.min(b, n - rows[0]!) * c), rows[0]! * c)
    }
    return {
      embeddings: float32([n, c], embeddings),
      codes: code,
      logProb,
      sampledLogProb,
      dots: float32([n], dots),
    }
  })

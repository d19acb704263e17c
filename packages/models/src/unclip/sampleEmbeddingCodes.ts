/** Embeddings of images from captions, code by code. */
import {
  attempt,
  BadData,
  type EngineError,
  float32,
  type HostTensor,
  int32,
  type Key,
  random,
  type State,
  split,
} from "@millrace/core"
import { Effect } from "effect"
import { checkRows, takeRows } from "../diffusion/rows.js"
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
    const numbers = random.uniform(split(key, "codes"), [n, k]).data
    const codes = new Int32Array(n * k)
    const logProb = new Float32Array(n * k)
    const sampledLogProb = new Float32Array(n * k)
    const embeddings = new Float32Array(n * c)
    for (let from = 0; from < n; from += b) {
      // A batch that is not full repeats its last caption.
      const rows = Array.from({ length: b }, (_, i) => Math.min(from + i, n - 1))
      const full = Math.min(b, n - from)
      const uniform = new Float32Array(k * b)
      for (const [i, row] of rows.entries()) for (let j = 0; j < k; j++) uniform[j * b + i] = numbers[row * k + j]!
      const out = yield* sampler.batch(policy, {
        textEmbedding: takeRows(textEmbedding, rows),
        text: takeRows(text, rows),
        mask: takeRows(mask, rows),
        dot: float32(
          [b],
          Float32Array.from(rows, (row) => dots[row]!),
        ),
        uniform,
      })
      const drawn = new Int32Array(b * k)
      for (let i = 0; i < b; i++) for (let j = 0; j < k; j++) drawn[i * k + j] = out.code!.data[j * b + i]!
      const decoded = (yield* sampler.decode(int32([b, k], drawn))).embeddings!.data
      for (let i = 0; i < full; i++) {
        for (let j = 0; j < k; j++) {
          const [to, at] = [(from + i) * k + j, j * b + i]
          codes[to] = out.code!.data[at]!
          logProb[to] = out.logProb!.data[at]!
          sampledLogProb[to] = out.sampledLogProb!.data[at]!
        }
        for (let j = 0; j < c; j++) embeddings[(from + i) * c + j] = decoded[i * c + j]!
      }
    }
    return {
      embeddings: float32([n, c], embeddings),
      codes: int32([n, k], codes),
      logProb: float32([n, k], logProb),
      sampledLogProb: float32([n, k], sampledLogProb),
      dots: float32([n], dots),
    }
  })

/**
 * Sampling image codes from a sparse transformer as tensor functions.
 *   prefill  the caption, one uniform number a row -> the first code, cache
 *   step     last code, cache, one uniform number a row -> next code, cache
 *   uncached caption, codes so far, one uniform number a row -> the codes with the next one
 *
 * Axes   b batch, t text position, s image position, d width, k image vocabulary
 */
import {
  BadConfig,
  embed,
  flatten,
  isParamSpec,
  mapTree,
  type Specs,
  spec,
  type TensorFunction,
  type Tensors,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { attention, causalBias } from "../layers/attention.js"
import { norm } from "../layers/norm.js"
import {
  embedText,
  type SparseConfig,
  type SparseParams,
  sparseBlock,
  sparseLogits,
  sparseParams,
  sparsePatterns,
} from "../sparse.js"
import { drawCode } from "./drawCode.js"
import type { SamplerBasis } from "./samplerBasis.js"
import { slotRows, writeSlot } from "./slots.js"
import { attendNear, cacheNames, imageSlots, type Near, nearOf, sparseCacheSpecs } from "./sparseCache.js"
import { wrongTransform } from "./transform.js"

/** What an image sampler is compiled for. */
export type ImageSamplerConfig = SamplerBasis

export interface ImageSamplerFunctions {
  readonly prefill: TensorFunction
  readonly step: TensorFunction
  readonly uncached: TensorFunction
}

const check = (sampler: ImageSamplerConfig): void => {
  const { batch } = sampler
  const wrong = [
    ...(Number.isInteger(batch) && batch >= 1
      ? []
      : [["batch a whole number of at least 1", `batch ${batch}`] as const]),
    ...wrongTransform(sampler),
  ]
  if (wrong.length === 0) return
  throw new BadConfig({
    where: "image sampler",
    expected: wrong.map(([expected]) => expected).join("\n"),
    received: wrong.map(([, received]) => received).join("\n"),
    fix: "correct the sampler's config",
  })
}

/**
 * The tensor functions of an image sampler.
 *
 *   prefill   tokens int32 b t, mask float32 b t, uniform float32 b             -> the first code, state cache
 *   step      place int32 (of the last code), previous int32 b, uniform b       -> the code after it, state cache
 *   uncached  place int32 (of the new code), tokens, mask, codes int32 b s, uniform -> the code, codesNext int32 b s
 *
 * Each gives `code` int32 b, `logProb` float32 b (under the model's own distribution) and `sampledLogProb` float32 b (under
 * the distribution that was sampled).
 * @throws BadConfig
 */
export const imageSamplerFunctions = (config: SparseConfig, sampler: ImageSamplerConfig): ImageSamplerFunctions => {
  check(sampler)
  const { batch: b, prefix = "" } = sampler
  const { text, rows, columns, width, heads } = config
  const size = rows * columns
  const specs = sparseParams(config)
  const policy: Specs = Object.fromEntries(
    Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [prefix + name, spec("float32", shape)]),
  )
  const cache = sparseCacheSpecs(config, b)
  const paramsOf = (tensors: Tensors | undefined): SparseParams =>
    mapTree(specs, isParamSpec, (name) => tensors![prefix + name]!) as SparseParams

  /** `logits` b k */
  const draw = (logits: tf.Tensor, uniform: tf.Tensor): Tensors =>
    withPath("draw", () => drawCode(logits, logits, uniform, sampler))

  /** Logits of a code from the residual stream of the position before it. b 1 d -> b k */
  const unembed = (p: SparseParams, x: tf.Tensor): tf.Tensor =>
    withPath("unembed", () => tf.matMul(tf.reshape(norm(p.norm, x), [b, width]), p.unembedding.image, false, true))

  const captions = {
    tokens: spec("int32", [b, text]),
    mask: spec("float32", [b, text]),
    uniform: spec("float32", [b]),
  }

  const prefill: TensorFunction = {
    name: "sparse.sample.prefill",
    state: { policy, cache },
    inputs: captions,
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const written: Record<string, tf.Tensor> = {}
      const bias = causalBias(text)
      let x = withPath("embed", () => embedText(config, p, { tokens: inputs.tokens!, mask: inputs.mask! })) // b t d
      for (const [l, layer] of p.blocks.entries()) {
        const names = cacheNames(l)
        x = withPath(`blocks.${l}`, () =>
          sparseBlock(layer, x, heads, (q, k, v) => {
            written[names.textKeys] = k // b h t e
            written[names.textValues] = v // b h t e
            return attention(q, k, v, bias)
          }),
        ) // b t d
      }
      const last = tf.slice(x, [0, text - 1, 0], [b, 1, width]) // b 1 d
      return { outputs: draw(unembed(p, last), inputs.uniform!), state: { cache: written } }
    },
  }

  const step: TensorFunction = {
    name: "sparse.sample.step",
    state: { policy, cache },
    inputs: { place: spec("int32", []), previous: spec("int32", [b]), uniform: spec("float32", [b]) },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const { place, previous, uniform } = inputs as Record<string, tf.Tensor>
      const patterns = sparsePatterns(config)
      const nears = new Map<string, Near | null>()
      const near = (layer: number): Near | null => {
        const pattern = patterns[layer]!
        if (!nears.has(pattern.kind)) nears.set(pattern.kind, nearOf(config, pattern, place!))
        return nears.get(pattern.kind)!
      }
      const slots = slotRows(b * heads, imageSlots(config), place!)
      const written: Record<string, tf.Tensor> = {}
      let x = withPath("embed", () => {
        const at = tf.reshape(place!, [1]) as tf.Tensor1D
        /** The row of a table for the last code's place. 1 d */
        const here = (table: tf.Tensor, numberOf: (s: number) => number): tf.Tensor =>
          tf.gather(
            table,
            tf.gather(
              tf.tensor1d(
                Array.from({ length: size }, (_, s) => numberOf(s)),
                "int32",
              ),
              at,
            ),
          )
        const places = tf.add(
          here(p.image.row, (s) => Math.floor(s / columns)),
          here(p.image.column, (s) => s % columns),
        ) // 1 d
        return tf.reshape(tf.add(embed(p.image.token, previous!), places), [b, 1, width])
      }) // b 1 d
      for (const [l, layer] of p.blocks.entries()) {
        const names = cacheNames(l)
        const cached = (name: string): tf.Tensor => state.cache![name]!
        x = withPath(`blocks.${l}`, () =>
          sparseBlock(layer, x, heads, (q, k, v) => {
            const [keys, values] = [cached(names.keys), cached(names.values)] // b h s e
            written[names.keys] = writeSlot(keys, slots, k)
            written[names.values] = writeSlot(values, slots, v)
            const words = [cached(names.textKeys), cached(names.textValues)] as const // b h t e
            return attendNear(q, [k, v], words, [keys, values], near(l))
          }),
        ) // b 1 d
      }
      return { outputs: draw(unembed(p, x), uniform!), state: { cache: written } }
    },
  }

  const uncached: TensorFunction = {
    name: "sparse.sample.uncached",
    state: { policy },
    inputs: { ...captions, place: spec("int32", []), codes: spec("int32", [b, size]) },
    body: (state, inputs) => {
      const { place, tokens, mask, codes, uniform } = inputs as Record<string, tf.Tensor>
      const { image } = sparseLogits(config, paramsOf(state.policy), { tokens: tokens!, mask: mask!, codes: codes! })
      const here = tf.gather(image, tf.reshape(place!, [1]) as tf.Tensor1D, 1) // b 1 k
      const outputs = draw(tf.reshape(here, [b, config.imageVocab]), uniform!)
      const at = tf.equal(tf.range(0, size, 1, "int32"), place!) // s
      const codesNext = tf.where(tf.reshape(at, [1, size]), tf.reshape(outputs.code!, [b, 1]), codes!) // b s
      return { outputs: { ...outputs, codesNext } }
    },
  }
  return { prefill, step, uncached }
}

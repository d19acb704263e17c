/**
 * Sampling an embedding's codes as tensor functions.
 *   prefill  caption, dot product, one uniform number a row -> the first code, cache
 *   step     last code, cache, one uniform number a row     -> next code, cache
 *   uncached caption, dot product, codes so far, one uniform number a row -> the codes with the next one
 *   decode   codes -> embeddings
 *
 * Axes   b batch, t text position, k code, d width, v buckets, c width of CLIP's embeddings
 */
import {
  embed,
  flatten,
  type HostTensor,
  isParamSpec,
  mapTree,
  type Specs,
  spec,
  type TensorFunction,
  type Tensors,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { guide } from "../diffusion/guidance.js"
import { causalBias } from "../layers/attention.js"
import { cacheSpecs, fillSlots, keysOf, valuesOf } from "../sample/cache.js"
import { drawCode } from "../sample/drawCode.js"
import {
  type AutoregressivePriorConfig,
  type AutoregressivePriorParams,
  added,
  autoregressivePriorLogits,
  autoregressivePriorParams,
  nextCode,
  priorPrefix,
} from "./autoregressivePrior.js"
import { type AutoregressivePriorSamplerConfig, checkCodeSampler } from "./autoregressivePriorSamplerConfig.js"
import { dequantise, quantise } from "./buckets.js"
import { captionSpecs } from "./captions.js"
import { packRows } from "./packRows.js"
import { reconstructEmbeddings } from "./pca.js"
import { stepTransformer, transformer } from "./transformer.js"

export interface AutoregressivePriorSamplerFunctions {
  readonly prefill: TensorFunction
  readonly step: TensorFunction
  readonly uncached: TensorFunction
  readonly decode: TensorFunction
}

const constant = ({ data, shape }: HostTensor): tf.Tensor => tf.tensor(Float32Array.from(data), [...shape], "float32")

/**
 * The tensor functions of a sampler of codes.
 *
 *   prefill   textEmbedding float32 b c, text b t …, mask float32 b t, dot float32 b, uniform float32 b
 *             -> the first code, `length` int32 (of what is seen before the codes), state cache
 *   step      place int32 (of the last code), previous int32 b, length, uniform     -> the code after it, state cache
 *   uncached  as prefill, with place int32 (of the new code) and codes int32 b k    -> the code, codesNext int32 b k
 *   decode    codes int32 b k                                                       -> embeddings float32 b c
 *
 * The first three give `code` int32 b, `logProb` float32 b (under the model's own distribution, given the caption) and
 * `sampledLogProb` float32 b (under the distribution that was sampled: guided, filtered). Under guidance both branches run as
 * one batch of twice the size: the second half of the cache and of `length` is that without captions.
 * @throws BadConfig
 */
export const autoregressivePriorSamplerFunctions = (
  config: AutoregressivePriorConfig,
  sampler: AutoregressivePriorSamplerConfig,
): AutoregressivePriorSamplerFunctions => {
  checkCodeSampler(config, sampler)
  const { batch: b, guidance = 1, prefix = "" } = sampler
  const { text, codes: k, buckets: v, dotBuckets, width: d, heads } = config
  const isGuided = guidance !== 1
  const rows = isGuided ? 2 * b : b
  const before = text.context + added
  const slots = before + k - 1
  const specs = autoregressivePriorParams(config)
  const policy: Specs = Object.fromEntries(
    Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [prefix + name, spec("float32", shape)]),
  )
  const cache = cacheSpecs(config, rows, slots)
  const paramsOf = (tensors: Tensors | undefined): AutoregressivePriorParams =>
    mapTree(specs, isParamSpec, (name) => tensors![prefix + name]!) as AutoregressivePriorParams
  const captions: Specs = {
    ...Object.fromEntries(
      Object.entries(captionSpecs(config)).map(([name, { dtype, shape }]) => [name, spec(dtype, [b, ...shape])]),
    ),
    dot: spec("float32", [b]),
    uniform: spec("float32", [b]),
  }

  /** A tensor of each caption, for every row of the network's batch. */
  const both = (x: tf.Tensor): tf.Tensor => (isGuided ? tf.concat([x, x], 0) : x)

  /** What the network is given: captions, and under guidance none for as many rows. */
  const given = (inputs: Tensors) => {
    const { low, high } = sampler.dotRange
    const dots = tf.reshape(inputs.dot!, [b, 1])
    return {
      textEmbedding: both(inputs.textEmbedding!),
      text: both(inputs.text!),
      mask: both(inputs.mask!),
      dot: both(tf.reshape(quantise(dots, constant(low), constant(high), dotBuckets), [b])),
      ...(isGuided ? { kept: tf.concat([tf.ones([b]), tf.zeros([b])], 0) } : {}),
    }
  }

  /** The drawn code and what is told of it. `logits` float32 rows v */
  const draw = (logits: tf.Tensor, uniform: tf.Tensor): Tensors =>
    withPath("draw", () => {
      const [own, without] = isGuided ? (tf.split(logits, 2, 0) as [tf.Tensor, tf.Tensor]) : [logits, null]
      const wanted = without === null ? own : guide(own, without, guidance, v) // b v
      return drawCode(own, wanted, uniform, sampler)
    })

  const prefill: TensorFunction = {
    name: "autoregressivePrior.sample.prefill",
    state: { policy, cache },
    inputs: captions,
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const written: Record<string, tf.Tensor> = {}
      const [x, length] = withPath("embed", () => {
        const prefix = priorPrefix(config, p, given(inputs))
        const placed = tf.add(prefix.rows, tf.slice(p.position, [0, 0], [before, d])) // rows s d
        const mask = tf.cast(tf.greater(prefix.mask, 0.5), "float32")
        const seen = tf.concat([mask, tf.ones([rows, added])], 1) // rows s
        return [packRows(placed, seen), tf.cast(tf.sum(seen, 1), "int32")] as const
      })
      const out = transformer(p.blocks, x, heads, causalBias(before), (l, keys, values) => {
        written[keysOf(l)] = fillSlots(keys, slots)
        written[valuesOf(l)] = fillSlots(values, slots)
      }) // rows s d
      const at = tf.equal(tf.range(1, before + 1, 1, "int32"), tf.reshape(length, [rows, 1])) // rows s
      const last = tf.matMul(tf.reshape(tf.cast(at, "float32"), [rows, 1, before]), out) // rows 1 d
      const logits = withPath("out", () => nextCode(p, tf.reshape(last, [rows, d])))
      return { outputs: { ...draw(logits, inputs.uniform!), length }, state: { cache: written } }
    },
  }

  const step: TensorFunction = {
    name: "autoregressivePrior.sample.step",
    state: { policy, cache },
    inputs: {
      place: spec("int32", []),
      previous: spec("int32", [b]),
      length: spec("int32", [rows]),
      uniform: spec("float32", [b]),
    },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const { place, previous, length, uniform } = inputs as Record<string, tf.Tensor>
      const x = withPath("embed", () => {
        const at = tf.reshape(tf.add(place!, tf.scalar(before, "int32")), [1])
        return tf.add(embed(p.code, both(previous!)), embed(p.position, at)) // rows d
      })
      const made = stepTransformer(p.blocks, x, state.cache!, tf.add(length!, place!))
      const logits = withPath("out", () => nextCode(p, made.last)) // rows v
      return { outputs: draw(logits, uniform!), state: { cache: made.cache } }
    },
  }

  const uncached: TensorFunction = {
    name: "autoregressivePrior.sample.uncached",
    state: { policy },
    inputs: { ...captions, place: spec("int32", []), codes: spec("int32", [b, k]) },
    body: (state, inputs) => {
      const all = autoregressivePriorLogits(config, paramsOf(state.policy), {
        ...given(inputs),
        codes: both(inputs.codes!),
      }) // rows k v
      const here = tf.gather(all, tf.reshape(inputs.place!, [1]) as tf.Tensor1D, 1) // rows 1 v
      const outputs = draw(tf.reshape(here, [rows, v]), inputs.uniform!)
      const at = tf.equal(tf.range(0, k, 1, "int32"), inputs.place!) // k
      const codesNext = tf.where(tf.reshape(at, [1, k]), tf.reshape(outputs.code!, [b, 1]), inputs.codes!) // b k
      return { outputs: { ...outputs, codesNext } }
    },
  }

  const decode: TensorFunction = {
    name: "autoregressivePrior.decode",
    state: {},
    inputs: { codes: spec("int32", [b, k]) },
    body: (_, { codes }) => {
      const { pca, range } = sampler
      const components = dequantise(codes!, constant(range.low), constant(range.high), v) // b k
      return { outputs: { embeddings: reconstructEmbeddings(components, constant(pca.mean), constant(pca.axes)) } }
    },
  }
  return { prefill, step, uncached, decode }
}

/**
 * Sampling from a GPT as tensor functions.
 *   prefill  the prompts but their last tokens -> cache
 *   step     last token, cache, one uniform number a row -> next token, cache
 *   uncached the whole text, one uniform number a row -> the text with its next token
 *
 * Sampling is a loop with state, so it is not a pure tensor node: these functions run under an engine's `loop`, and
 * `compileSampler` and `generate` do that.
 *
 * Axes   b batch, t position, s slot, d width, h heads, e head width, v vocabulary
 */
import {
  type CachedAttention,
  cachedAttention,
  cachedPrompt,
  crossEntropy,
  embed,
  flatten,
  isParamSpec,
  linear,
  mapTree,
  type Specs,
  spec,
  type TensorFunction,
  type Tensors,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { addMlp, type GptConfig, type GptParams, gptParams, gptTrunk, gptUnembed, real } from "../gpt.js"
import { norm } from "../layers/norm.js"
import { cacheSpecs, keysOf, valuesOf } from "./cache.js"
import { checkSamplerConfig, type SamplerConfig } from "./samplerConfig.js"
import { drawToken, transformLogits } from "./transform.js"

export interface SamplerFunctions {
  /** Null where the prompt has one token. */
  readonly prefill: TensorFunction | null
  readonly step: TensorFunction
  readonly uncached: TensorFunction
}

/** int32 0 … length − 1 of a shape. */
const range = (length: number, shape: ReadonlyArray<number>): tf.Tensor =>
  tf.tensor(
    Int32Array.from({ length }, (_, i) => i),
    [...shape],
    "int32",
  )

/**
 * All blocks for new positions, of which attention writes the keys and values into the cache.
 * @param x  float32  b d, or b t d
 */
const blocks = (
  p: GptParams,
  x: tf.Tensor,
  cache: Tensors,
  attend: (qkv: tf.Tensor, keys: tf.Tensor, values: tf.Tensor) => CachedAttention,
): { readonly x: tf.Tensor; readonly written: Tensors } => {
  const written: Record<string, tf.Tensor> = {}
  const block = (x: tf.Tensor, l: number, layer: GptParams["blocks"][number]): tf.Tensor => {
    const { qkv, out } = layer.attention
    const own = linear(norm(layer.norm1, x), qkv.weight, qkv.bias) // … (3 h e)
    const made = attend(own, cache[keysOf(l)]!, cache[valuesOf(l)]!)
    written[keysOf(l)] = made.keys
    written[valuesOf(l)] = made.values
    return addMlp(layer, tf.add(x, linear(made.attended, out.weight, out.bias))) // … d
  }
  const last = p.blocks.reduce((x, layer, l) => withPath(`blocks.${l}`, () => block(x, l, layer)), x)
  return { x: last, written }
}

/** The embeddings of positions 0 … length − 1. float32 t d */
const placesOf = ({ position }: GptParams, length: number): tf.Tensor =>
  tf.slice(position, [0, 0], [length, position.shape[1] ?? 0])

/**
 * The tensor functions of a sampler.
 *
 *   prefill   tokens int32 b t (t = promptLength − 1), padded on the right                   -> state cache
 *   step      step int32, uniform float32 b, previous int32 b, alive float32 b,
 *             start int32 b (real tokens before the prompt's last)                           -> token, … , state cache
 *   uncached  step, uniform, alive as in step, text int32 b t, mask float32 b t              -> token, … , textNext
 *
 * A row's tokens are in the first slots of the cache, wherever its prompt was padded. Padding on the right needs no mask: no
 * real token sees it, and each step overwrites one slot of it before that slot is read.
 *
 * `step` and `uncached` give `token` int32 b, `logProb` float32 b (under the model's own distribution), `sampledLogProb`
 * float32 b (under the distribution that was sampled), `mask` float32 b (1 until the text has ended, its end included)
 * and `aliveNext` float32 b.
 * @throws BadConfig  @throws BadLength
 */
export const samplerFunctions = (config: GptConfig, sampler: SamplerConfig): SamplerFunctions => {
  checkSamplerConfig(config, sampler)
  const { batch: b, promptLength, length, endOfText, prefix = "" } = sampler
  const slots = promptLength + length - 1
  const specs = gptParams(config)
  const policy: Specs = Object.fromEntries(
    Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => [prefix + name, spec("float32", shape)]),
  )
  const cache = cacheSpecs(config, b, slots)
  const paramsOf = (tensors: Tensors | undefined): GptParams =>
    mapTree(specs, isParamSpec, (name) => tensors![prefix + name]!) as GptParams

  /** The drawn token and what is told of it. `logits` b v. */
  const draw = (logits: tf.Tensor, uniform: tf.Tensor, alive: tf.Tensor): Tensors =>
    withPath("draw", () => {
      const transformed = transformLogits(logits, sampler) // b v
      const drawn = drawToken(transformed, uniform) // b
      const living = real(alive)
      const none = tf.zerosLike(alive)
      const token = endOfText === undefined ? drawn : tf.where(living, drawn, tf.fill([b], endOfText, "int32"))
      const logProb = (of: tf.Tensor): tf.Tensor => tf.where(living, tf.neg(crossEntropy(of, token)), none)
      const own = logProb(logits)
      return {
        token,
        logProb: own,
        sampledLogProb: transformed === logits ? tf.clone(own) : logProb(transformed),
        mask: tf.clone(alive),
        aliveNext: endOfText === undefined ? tf.clone(alive) : tf.where(tf.equal(token, endOfText), none, alive),
      }
    })

  const prompted = promptLength - 1
  const prefill: TensorFunction = {
    name: "gpt.sample.prefill",
    state: { policy, cache },
    inputs: { tokens: spec("int32", [b, prompted]) },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const embedded = withPath("embed", () => tf.add(embed(p.token, inputs.tokens!), placesOf(p, prompted))) // b t d
      const { written } = blocks(p, embedded, state.cache!, cachedPrompt)
      return { outputs: {}, state: { cache: written } }
    },
  }

  const step: TensorFunction = {
    name: "gpt.sample.step",
    state: { policy, cache },
    inputs: {
      step: spec("int32", []),
      uniform: spec("float32", [b]),
      previous: spec("int32", [b]),
      alive: spec("float32", [b]),
      start: spec("int32", [b]),
    },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const { step, uniform, previous, alive, start } = inputs as Record<string, tf.Tensor>
      const lengths = tf.add(start!, step!) // b
      const embedded = withPath("embed", () => tf.add(embed(p.token, previous!), embed(p.position, lengths))) // b d
      const { x, written } = blocks(p, embedded, state.cache!, (qkv, keys, values) =>
        cachedAttention(qkv, keys, values, lengths),
      )
      const logits = withPath("unembed", () => gptUnembed(p, norm(p.norm, x))) // b v
      return { outputs: draw(logits, uniform!, alive!), state: { cache: written } }
    },
  }

  const total = promptLength + length
  const uncached: TensorFunction = {
    name: "gpt.sample.uncached",
    state: { policy },
    inputs: {
      step: spec("int32", []),
      uniform: spec("float32", [b]),
      alive: spec("float32", [b]),
      text: spec("int32", [b, total]),
      mask: spec("float32", [b, total]),
    },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const { step, uniform, alive, text, mask } = inputs as Record<string, tf.Tensor>
      const slot = tf.add(step!, tf.scalar(prompted, "int32"))
      const x = gptTrunk(config, p, text!, { mask: mask! }) // b t d
      const last = tf.reshape(tf.gather(x, tf.reshape(slot, [1]) as tf.Tensor1D, 1), [b, config.width]) // b d
      const outputs = draw(
        withPath("unembed", () => gptUnembed(p, last)),
        uniform!,
        alive!,
      )
      const here = tf.equal(range(total, [1, total]), tf.add(slot, tf.scalar(1, "int32"))) // 1 t
      const textNext = tf.where(here, tf.reshape(outputs.token!, [b, 1]), text!) // b t
      return { outputs: { ...outputs, textNext } }
    },
  }
  return { prefill: promptLength > 1 ? prefill : null, step, uncached }
}

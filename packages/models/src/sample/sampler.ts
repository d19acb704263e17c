/**
 * Sampling from a GPT as tensor functions.
 *   prefill  the prompt but its last token -> cache
 *   step     last token, cache, one uniform number a row -> next token, cache
 *   uncached the whole text, one uniform number a row -> the text with its next token
 *
 * Sampling is a loop with state, so it is not a pure tensor node: these functions run under an engine's `loop`, and
 * `compileSampler` and `generate` do that.
 *
 * Axes   b batch, t position, s slot, d width, h heads, e head width, v vocabulary
 */
import {
  crossEntropy,
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
import {
  addAttended,
  addMlp,
  type GptConfig,
  type GptParams,
  gptParams,
  gptTrunk,
  gptUnembed,
  norm,
  queriesKeysValues,
  real,
} from "../gpt.js"
import { unseen } from "../layers/attention.js"
import { attentionOverCache, cacheSpecs, fillSlots, keysOf, slotRows, valuesOf, writeSlot } from "./cache.js"
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
 * The tensor functions of a sampler.
 *
 *   prefill   tokens int32 b t, mask float32 b t (t = promptLength − 1)                      -> state cache
 *   step      step int32, uniform float32 b, previous int32 b, alive float32 b,
 *             start int32 b (real tokens before the prompt's last), mask float32 b s         -> token, … , state cache
 *   uncached  step, uniform, alive as in step, text int32 b t, mask float32 b t              -> token, … , textNext
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
    inputs: { tokens: spec("int32", [b, prompted]), mask: spec("float32", [b, prompted]) },
    body: (state, inputs) => {
      const written: Record<string, tf.Tensor> = {}
      gptTrunk(config, paramsOf(state.policy), inputs.tokens!, {
        mask: inputs.mask!,
        seen: (l, k, v) => {
          written[keysOf(l)] = fillSlots(k, slots) // b h s e
          written[valuesOf(l)] = fillSlots(v, slots) // b h s e
        },
      })
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
      mask: spec("float32", [b, slots]),
    },
    body: (state, inputs) => {
      const p = paramsOf(state.policy)
      const { step, uniform, previous, alive, start, mask } = inputs as Record<string, tf.Tensor>
      const slot = tf.add(step!, tf.scalar(prompted, "int32"))
      const rows = slotRows(b * config.heads, slots, slot)
      const seen = tf.logicalAnd(tf.less(range(slots, [1, slots]), slot), real(mask!)) // b s
      const bias = tf.reshape(tf.where(seen, tf.scalar(0), tf.scalar(unseen)), [b, 1, 1, slots]) // b 1 1 s
      const written: Record<string, tf.Tensor> = {}
      let x = withPath("embed", () =>
        tf.reshape(tf.add(embed(p.token, previous!), embed(p.position, tf.add(start!, step!))), [b, 1, config.width]),
      ) // b 1 d
      for (const [l, layer] of p.blocks.entries()) {
        x = withPath(`blocks.${l}`, () => {
          const [q, k, v] = queriesKeysValues(layer, norm(layer.norm1, x), config.heads) // each b h 1 e
          const [keys, values] = [state.cache![keysOf(l)]!, state.cache![valuesOf(l)]!] // each (b h s) e
          written[keysOf(l)] = writeSlot(keys, rows, k)
          written[valuesOf(l)] = writeSlot(values, rows, v)
          const attended = attentionOverCache(q, [k, v], [keys, values], bias) // b h 1 e
          return addMlp(layer, addAttended(layer, x, attended)) // b 1 d
        })
      }
      const logits = withPath("unembed", () => gptUnembed(p, tf.reshape(norm(p.norm, x), [b, config.width]))) // b v
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

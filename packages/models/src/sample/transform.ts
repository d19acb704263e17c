/**
 * From logits to a token: temperature, top-k, top-p, and one uniform number.
 * Axes   b batch, v vocabulary
 */
import { softmax } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { unseen } from "../layers/attention.js"

/** How the distribution that is sampled differs from the model's. Applied in this order; nothing given, nothing done. */
export interface SamplingTransform {
  /** Logits are divided by it; 0 takes the most probable token, the first of equals. */
  readonly temperature?: number
  /** Keeps the `topK` most probable tokens, and those as probable as the last of them. */
  readonly topK?: number
  /** Keeps the fewest most probable tokens whose mass is at least `topP`, and those as probable as the last of them. */
  readonly topP?: number
}

/** Every number of a transform that makes no sense, with what was expected of it. */
export const wrongTransform = ({
  temperature = 1,
  topK = 1,
  topP = 1,
}: SamplingTransform): ReadonlyArray<readonly [expected: string, received: string]> => [
  ...(Number.isInteger(topK) && topK >= 1 ? [] : [["topK a whole number of at least 1", `topK ${topK}`] as const]),
  ...(temperature >= 0 && Number.isFinite(temperature)
    ? []
    : [["temperature 0 or more", `temperature ${temperature}`] as const]),
  ...(topP > 0 && topP <= 1 ? [] : [["topP above 0, at most 1", `topP ${topP}`] as const]),
]

const keep = (kept: tf.Tensor, logits: tf.Tensor): tf.Tensor => tf.where(kept, logits, tf.fill(logits.shape, unseen))

/** The most probable `count` values of each row, in falling order. */
const sorted = (x: tf.Tensor, count: number): tf.Tensor => tf.topk(x, count, true).values

/**
 * The logits of the distribution that is sampled. Filtered tokens have probability exactly 0; the most probable token is
 * never filtered. Equals are kept or filtered together, so that no result depends on an order of sorting.
 * @param logits  float32  b v
 * @returns       float32  b v
 * @law           top-k sets are nested in k, and k = v changes nothing
 * @law           top-p sets are nested in p, are never empty, and p = 1 changes nothing
 * @source        top-k: Fan et al. 2018; top-p: Holtzman et al. 2020, with the token that crosses p kept
 */
export const transformLogits = (logits: tf.Tensor, transform: SamplingTransform): tf.Tensor => {
  const { temperature = 1, topK, topP } = transform
  const v = logits.shape[1] ?? 0
  if (temperature === 0) return keep(tf.cast(tf.oneHot(tf.argMax(logits, 1), v), "bool"), tf.zerosLike(logits))
  // Relative to the largest: a small temperature then cannot overflow, nor push a real token below a filtered one.
  let out = temperature === 1 ? logits : tf.div(tf.sub(logits, tf.max(logits, 1, true)), temperature) // b v
  if (topK !== undefined && topK < v) {
    // Of the logits as they came: dividing may make equals of numbers that are not.
    const least = tf.slice(sorted(logits, topK), [0, topK - 1], [-1, 1]) // b 1
    out = keep(tf.greaterEqual(logits, least), out)
  }
  if (topP !== undefined && topP < 1) {
    const probabilities = softmax(out) // b v
    const falling = sorted(probabilities, v) // b v
    const before = tf.cumsum(falling, 1, true) // b v   mass of the more probable tokens
    const least = tf.min(tf.where(tf.less(before, topP), falling, tf.onesLike(falling)), 1, true) // b 1
    out = keep(tf.greaterEqual(probabilities, least), out)
  }
  return out
}

/** The divisor of `n` that is next to its square root, from below. */
const nearRoot = (n: number): number => {
  let d = Math.max(1, Math.floor(Math.sqrt(n)))
  while (n % d !== 0) d--
  return d
}

/** Up to so many tokens one accumulation takes less time than the kernels that find a block first. */
const fewTokens = 2048

/**
 * One token a row by the inverse of the cumulative distribution: the first token at which it exceeds the uniform number. Of
 * many tokens it is found in the first block at whose end it does: only the blocks' sums and one block are accumulated.
 * A token of probability 0 is never drawn.
 * @param logits   float32  b v
 * @param uniform  float32  b      in [0, 1)
 * @returns        int32    b
 * @law            does not fall when the uniform number grows
 */
export const drawToken = (logits: tf.Tensor, uniform: tf.Tensor): tf.Tensor => {
  const [b = 0, v = 0] = logits.shape
  const blocks = nearRoot(v)
  const size = v / blocks
  const count = (below: tf.Tensor): tf.Tensor => tf.sum(tf.cast(below, "int32"), 1) // b
  const last = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, (x.shape[1] ?? 1) - 1], [b, 1]) // b 1

  const probabilities = softmax(logits) // b v
  const parts = tf.reshape(probabilities, [b, blocks, size])
  const mass = tf.cumsum(v > fewTokens ? tf.sum(parts, 2) : probabilities, 1) // b blocks, or b v
  // Below the whole mass in float32 too, so that it is exceeded somewhere.
  const wanted = tf.mul(tf.minimum(tf.reshape(uniform, [b, 1]), 1 - 2 ** -23), last(mass)) // b 1
  const passed = tf.lessEqual(mass, wanted) // as mass
  const first = count(passed) // b
  if (v <= fewTokens) return first
  const before = tf.max(tf.where(passed, mass, tf.zerosLike(mass)), 1, true) // b 1

  const rows = tf.range(0, b * blocks, blocks, "int32")
  const within = tf.cumsum(tf.gather(tf.reshape(parts, [b * blocks, size]), tf.add(rows, first) as tf.Tensor1D), 1) // b size
  const rest = tf.sub(wanted, before) // b 1
  // The second count is the block's last token with any mass: the block was summed in another order than accumulated.
  const inside = tf.minimum(count(tf.lessEqual(within, rest)), count(tf.less(within, last(within)))) // b
  return tf.add(tf.mul(first, tf.scalar(size, "int32")), inside)
}

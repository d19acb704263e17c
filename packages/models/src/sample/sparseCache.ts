/**
 * The cache of a sparse transformer: keys and values of the text, which are written once, and of the image so far. A new
 * image token reads all of the text, and of the image the few places that its layer's pattern lets it see; where they
 * stand follows from its own place, so that one program serves every place.
 * Axes   b batch, h heads, t text position, s image position, e head width, n image positions that a pattern shows
 */
import { type Specs, softmax, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { unseen } from "../layers/attention.js"
import { type SparsePattern, seenDistances } from "../layers/sparseMasks.js"
import { gridOf, type SparseConfig } from "../sparse.js"

export const cacheNames = (layer: number) => ({
  textKeys: `blocks.${layer}.text.keys`,
  textValues: `blocks.${layer}.text.values`,
  keys: `blocks.${layer}.image.keys`,
  values: `blocks.${layer}.image.values`,
})

/** The cache's tensors. The last image token is never read, and has no slot. */
export const sparseCacheSpecs = (config: SparseConfig, batch: number): Specs => {
  const { layers, heads, width, text } = config
  const table = (slots: number) => spec("float32", [batch, heads, slots, width / heads])
  return Object.fromEntries(
    Array.from({ length: layers }, (_, l) => cacheNames(l)).flatMap(({ textKeys, textValues, keys, values }) => [
      [textKeys, table(text)],
      [textValues, table(text)],
      [keys, table(imageSlots(config))],
      [values, table(imageSlots(config))],
    ]),
  )
}

export const imageSlots = ({ rows, columns }: SparseConfig): number => Math.max(1, rows * columns - 1)

/** The slots of the image tokens before it that a token sees. */
export interface Near {
  /** int32  n   some slot where there is no such token */
  readonly slots: tf.Tensor1D
  /** Added to scores: `unseen` where there is no such token. float32  1 1 1 n */
  readonly bias: tf.Tensor
}

/**
 * Where the earlier tokens stand that a token sees under a pattern.
 * @param place  of the token, int32 scalar
 * @returns      null where a pattern shows a token itself alone
 */
export const nearOf = (config: SparseConfig, pattern: SparsePattern, place: tf.Tensor): Near | null => {
  const last = imageSlots(config)
  const distances = seenDistances(pattern, gridOf(config)).filter((distance) => distance > 0 && distance <= last)
  if (distances.length === 0) return null
  const back = tf.tensor1d(distances, "int32")
  const slots = tf.sub(place, back) as tf.Tensor1D // n
  const there = tf.greaterEqual(slots, tf.scalar(0, "int32")) // n
  return {
    slots: tf.maximum(slots, tf.scalar(0, "int32")),
    bias: tf.reshape(tf.where(there, tf.scalar(0), tf.scalar(unseen)), [1, 1, 1, distances.length]),
  }
}

type KeysAndValues = readonly [keys: tf.Tensor, values: tf.Tensor]

/**
 * Attention of one image token over the text, the earlier tokens that it sees, and itself.
 * @param q      its query                        float32  b h 1 e
 * @param own    its key and its value            float32  b h 1 e
 * @param text   keys and values of the text      float32  b h t e
 * @param image  keys and values of the image     float32  b h s e
 * @returns      attended values                  float32  b h 1 e
 */
export const attendNear = (
  q: tf.Tensor,
  own: KeysAndValues,
  text: KeysAndValues,
  image: KeysAndValues,
  near: Near | null,
): tf.Tensor => {
  const [b = 0, h = 0, , e = 0] = q.shape
  const scaled = tf.mul(q, 1 / Math.sqrt(e)) // b h 1 e
  const column = tf.reshape(scaled, [b, h, e, 1])
  // The query as a column: engines have a faster kernel for a matrix times a column than for a transposed matrix.
  const against = (keys: tf.Tensor): tf.Tensor => tf.reshape(tf.matMul(keys, column), [b, h, 1, keys.shape[2]!])
  const seen: ReadonlyArray<KeysAndValues> =
    near === null ? [text] : [text, [tf.gather(image[0], near.slots, 2), tf.gather(image[1], near.slots, 2)]]
  const scores = [
    ...seen.map(([keys], i) => (i === 1 ? tf.add(against(keys), near!.bias) : against(keys))),
    tf.sum(tf.mul(scaled, own[0]), -1, true),
  ]
  const sizes = scores.map((each) => each.shape[3]!)
  const shares = tf.split(softmax(tf.concat(scores, 3)), sizes, 3) // b h 1 t, b h 1 n, b h 1 1
  const products = seen.map(([, values], i) => tf.matMul(shares[i]!, values)) // b h 1 e
  return products.reduce((sum, each) => tf.add(sum, each), tf.mul(shares.at(-1)!, own[1]))
}

import * as tf from "@tensorflow/tfjs-core"

/** Features of a part of a batch: one tensor for each side, the batch first. */
export type EncodePart<Part> = (params: ReadonlyArray<tf.Tensor>, part: Part) => ReadonlyArray<tf.Tensor>

/** `n` rows of a tensor, from row `from`. */
const rowsOf = (x: tf.Tensor, from: number, n: number): tf.Tensor =>
  tf.slice(x, [from, ...x.shape.slice(1).map(() => 0)], [n, ...x.shape.slice(1)])

const sum = (terms: ReadonlyArray<tf.Tensor>): tf.Tensor => terms.reduce((a, b) => tf.add(a, b))

/**
 * A loss over the features of a whole batch and its gradients, one part of the batch at a time: the features of all parts
 * first, the loss's gradients with respect to them, and from these the parameters' gradients of each part, which are
 * summed, not averaged. Activations are of one part where operations run one by one; a compiled program may see that parts
 * are encoded twice and keep them: the core's `cachedTrainStep` is a program a part.
 *
 * The result is the whole batch's as long as `encode` treats examples one by one: batch norm with the batch's moments
 * does not.
 * @param encode  of a part, its features
 * @param loss    of all features, in the order in which `encode` gives them
 * @returns       the loss, and the gradients of the parameters in their order
 * @law           any parts give the gradients of the whole batch
 * @source        Gao et al. 2021, section 3.2
 */
export const gradCache = <Part>(
  params: ReadonlyArray<tf.Tensor>,
  parts: ReadonlyArray<Part>,
  encode: EncodePart<Part>,
  loss: (features: ReadonlyArray<tf.Tensor>) => tf.Scalar,
): { readonly value: tf.Scalar; readonly grads: ReadonlyArray<tf.Tensor> } => {
  const encoded = parts.map((part) => encode(params, part))
  const sides = encoded[0]?.length ?? 0
  const whole = Array.from({ length: sides }, (_, side) => tf.concat(encoded.map((each) => each[side]!)))
  const { value, grads: slopes } = tf.valueAndGrads((...features) => loss(features))(whole)
  const starts = Array.from({ length: sides }, () => 0)
  const ofParts = parts.map((part, i) => {
    const own = slopes.map((slope, side) => {
      const n = encoded[i]![side]!.shape[0]!
      const rows = rowsOf(slope, starts[side]!, n)
      starts[side]! += n
      return rows
    })
    const weighed = (...p: ReadonlyArray<tf.Tensor>): tf.Scalar =>
      sum(encode(p, part).map((features, side) => tf.sum(tf.mul(features, own[side]!)))) as tf.Scalar
    return tf.grads(weighed)([...params])
  })
  return { value: value as tf.Scalar, grads: params.map((_, i) => sum(ofParts.map((grads) => grads[i]!))) }
}

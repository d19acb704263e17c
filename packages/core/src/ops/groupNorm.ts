/** Group normalisation. */
import * as tf from "@tensorflow/tfjs-core"
import { ShapeMismatch } from "../errors.js"
import { differentiable, runFused } from "./differentiable.js"

/**
 * (x − mean) / √(variance + epsilon) · gain + bias, with the moments of each image and each group of adjacent channels.
 * @param x       [b, ..., c]
 * @param gain    [c]
 * @param bias    [c]
 * @param groups  divides c
 * @source        Wu and He 2018, eq. 1–3
 * @throws ShapeMismatch  the channels are not those of gain and bias
 */
export const groupNorm = (
  x: tf.Tensor,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  groups: number,
  epsilon = 1e-5,
): tf.Tensor => {
  const [batch, channels] = [x.shape[0]!, gain.size]
  if (x.shape.at(-1) !== channels || bias.size !== channels) {
    throw new ShapeMismatch({
      where: "groupNorm",
      expected: "one gain and one bias a channel",
      received: `x [${x.shape.join(", ")}], gain [${channels}], bias [${bias.size}]`,
      fix: "give channels as the last axis, and as many gains and biases",
    })
  }
  const pixels = x.size / (batch * channels)
  const image = tf.reshape(x, [batch, ...(x.rank === 4 ? x.shape.slice(1, 3) : [pixels, 1]), channels])
  const each = channels / groups
  const y = differentiable(
    [image, gain, bias],
    (save) => {
      const [unit, invStd] = runFused("GroupUnit", { x: image }, { groups, epsilon })
      save([unit!, invStd!, gain])
      return tf.add(tf.mul(unit!, gain), bias)
    },
    // With u the normalised input and g = dy · gain:  dx = invStd · (g − mean(g) − u · mean(g · u)). The means over a
    // group are sums of what every channel of every image has in all.
    (dy, saved) => {
      const [unit, invStd, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
      const total = (z: tf.Tensor): tf.Tensor => tf.reshape(tf.sum(z, [1, 2]), [batch, channels])
      const [sum, dot] = [total(dy), total(tf.mul(dy, unit))]
      const grouped = (z: tf.Tensor): tf.Tensor => tf.reshape(z, [batch, groups, each])
      const mean = (z: tf.Tensor): tf.Tensor => tf.div(tf.sum(grouped(tf.mul(z, scale)), 2, true), each * pixels)
      const std = tf.reshape(invStd, [batch, groups, 1])
      const spread = (z: tf.Tensor): tf.Tensor =>
        tf.reshape(tf.tile(tf.mul(z, std), [1, 1, each]), [batch, 1, 1, channels])
      const slope = tf.reshape(tf.mul(std, tf.reshape(scale, [1, groups, each])), [batch, 1, 1, channels])
      const dx = tf.sub(tf.sub(tf.mul(dy, slope), tf.mul(unit, spread(mean(dot)))), spread(mean(sum)))
      return [dx, tf.sum(dot, 0), tf.sum(sum, 0)]
    },
  )
  return tf.reshape(y, x.shape)
}

/** Classifier-free guidance: away from what a network says without a condition, towards and past what it says with one. */
import type { Specs, Tensors } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import type { Denoiser } from "./denoiser.js"

/**
 * unconditional + scale · (conditional − unconditional). A learned variance is not guided: it stays the conditional one.
 *
 * A scale of 1 is the conditional prediction, 0 the unconditional one. The w of Ho and Salimans 2022 is scale − 1.
 * @param conditional    float32  b … c, or b … (2 c)
 * @param unconditional  float32  of the same shape
 * @param channels       c: how many of the last axis are the prediction
 * @law   it is affine in the scale, and commutes with every conversion of the prediction
 * @source Nichol et al. 2022 (GLIDE), section 2.3
 */
export const guide = (conditional: tf.Tensor, unconditional: tf.Tensor, scale: number, channels: number): tf.Tensor => {
  const all = conditional.shape.at(-1) ?? 0
  const parts = (x: tf.Tensor): readonly [prediction: tf.Tensor, rest: tf.Tensor | null] => {
    if (all === channels) return [x, null]
    const [prediction, rest] = tf.split(x, [channels, all - channels], -1) as [tf.Tensor, tf.Tensor]
    return [prediction, rest]
  }
  const [[towards, rest], [from]] = [parts(conditional), parts(unconditional)]
  const guided = tf.add(from, tf.mul(tf.sub(towards, from), scale))
  return rest === null ? guided : tf.concat([guided, rest], -1)
}

const without = (name: string): string => `unconditional.${name}`

/**
 * A denoiser that is guided: it runs both branches as one batch of twice the size. Beside each condition `text` it is given
 * what stands for none, `unconditional.text`: the empty caption, the learnt null embedding.
 */
export const guided = (denoiser: Denoiser, scale: number): Denoiser => {
  const names = Object.keys(denoiser.conditioning)
  const nulls: Specs = Object.fromEntries(names.map((name) => [without(name), denoiser.conditioning[name]!]))
  return {
    name: `${denoiser.name}.guided`,
    params: denoiser.params,
    conditioning: { ...denoiser.conditioning, ...nulls },
    apply: (params, noisy, time, given) => {
      const both: Tensors = Object.fromEntries(
        names.map((name) => [name, tf.concat([given[name]!, given[without(name)]!], 0)]),
      )
      const output = denoiser.apply(params, tf.concat([noisy, noisy], 0), tf.concat([time, time], 0), both)
      const [conditional, unconditional] = tf.split(output, 2, 0) as [tf.Tensor, tf.Tensor]
      return guide(conditional, unconditional, scale, noisy.shape.at(-1) ?? 0)
    },
  }
}

import { expectClose, float, gradient, grid, type Law, law, real, size } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** A joint loss of a PPO loss and a pretraining loss, for the weight γ of the second. */
export type PtxLossOf = (coefficient: number) => (ppo: tf.Scalar, pretraining: tf.Scalar) => tf.Scalar

/**
 * What PPO-ptx obeys.
 * @param coefficient  of a loss that has but one
 * @source Ouyang et al. 2022, eq. 2
 */
export const ptxLaws = (
  lossOf: PtxLossOf,
  { coefficient: fixed }: { readonly coefficient?: number } = {},
): ReadonlyArray<Law> => {
  const weight = fixed === undefined ? size(0, 40) : fc.constant(fixed)
  const laws = [
    law("it is the PPO loss plus γ times the pretraining loss", fc.tuple(real(), real(), weight), ([ppo, text, c]) => {
      expectClose(lossOf(c)(tf.scalar(ppo), tf.scalar(text)), ppo + c * text)
    }),
    law("its gradient is the sum of two passes, in either order", fc.tuple(grid([4]), weight), ([x, c]) => {
      const ppo = (w: tf.Tensor): tf.Scalar => tf.sum(tf.square(w))
      const text = (w: tf.Tensor): tf.Scalar => tf.sum(tf.softplus(w))
      const at = float([4], x)
      const joint = gradient((w) => lossOf(c)(ppo(w!), text(w!)), [at])[0]!
      const first = gradient((w) => ppo(w!), [at])[0]!
      const second = gradient((w) => tf.mul(c, text(w!)), [at])[0]!
      expectClose(tf.add(first, second), joint)
      expectClose(tf.add(second, first), joint)
    }),
  ]
  if (fixed !== undefined && fixed !== 0) return laws
  return [
    law("with γ = 0 it is the PPO loss", fc.tuple(real(), real()), ([ppo, text]) => {
      expectClose(lossOf(0)(tf.scalar(ppo), tf.scalar(text)), ppo)
    }),
    ...laws,
  ]
}

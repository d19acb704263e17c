import { expectClose, expectThat, float, type Law, law, real, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { steps } from "./policyLossLaws.js"

/** A policy loss clipped by 0.2, the mean over all of [b t], for a dual clip, or without one. */
export type DualClipOf = (
  dualClip: number | undefined,
) => (logProb: tf.Tensor, oldLogProb: tf.Tensor, advantages: tf.Tensor) => tf.Scalar

/** What the dual clip obeys. @source OpenRLHF, `PolicyLoss`; Ye et al. 2020, section 4.4 */
export const dualClipLaws = (lossOf: DualClipOf): ReadonlyArray<Law> => {
  const bound = size(5, 16).map((n) => n / 4)
  return [
    law("it only changes tokens of negative advantage", fc.tuple(steps, bound), ([e, c]) => {
      const positive = float(e.shape, e.advantages.map(Math.abs))
      const at = (dualClip: number | undefined): tf.Scalar =>
        lossOf(dualClip)(float(e.shape, e.logProb), float(e.shape, e.oldLogProb), positive)
      expectClose(at(c), at(undefined))
    }),
    law("the loss of a token is never above −c A", fc.tuple(real(4), real(4), bound), ([log, a, c]) => {
      const loss = lossOf(c)(float([1, 1], [log]), float([1, 1], [0]), float([1, 1], [-Math.abs(a)]))
      const [found] = values(loss)
      expectThat(found! <= c * Math.abs(a) + 1e-5, () => `${found} for A = ${-Math.abs(a)}, c = ${c}`)
    }),
    law("where the ratio is below c it changes nothing", fc.tuple(steps, bound), ([e, c]) => {
      const near = e.oldLogProb.map((x, i) => x + Math.min(e.logProb[i]! - x, Math.log(c)))
      const at = (dualClip: number | undefined): tf.Scalar =>
        lossOf(dualClip)(float(e.shape, near), float(e.shape, e.oldLogProb), float(e.shape, e.advantages))
      expectClose(at(c), at(undefined))
    }),
  ]
}

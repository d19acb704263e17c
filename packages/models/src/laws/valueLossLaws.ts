import { expectClose, expectThat, float, gradient, grid, type Law, law, real, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** A clipped value loss, the mean over all of [b t], for an ε. */
export type ValueLossOf = (epsilon: number) => (v: tf.Tensor, old: tf.Tensor, returns: tf.Tensor) => tf.Scalar

const anyEstimates = fc.tuple(size(1, 3), size(1, 5)).chain(([b, t]) =>
  fc.record({
    shape: fc.constant([b, t] as const),
    v: grid([b, t]),
    old: grid([b, t]),
    returns: grid([b, t]),
    epsilon: fc.constantFrom(0.1, 0.2, 1),
  }),
)

/** Values, those when the tokens were sampled, and returns, with an ε. */
export const estimates = anyEstimates

/**
 * What PPO's clipped value loss obeys.
 * @param epsilon  of a loss that has but one
 * @source lm-human-preferences, train_policy.py
 */
export const valueLossLaws = (
  lossOf: ValueLossOf,
  { epsilon: fixed }: { readonly epsilon?: number } = {},
): ReadonlyArray<Law> => {
  const estimates = fixed === undefined ? anyEstimates : anyEstimates.map((e) => ({ ...e, epsilon: fixed }))
  type Flat = ReadonlyArray<number>
  const at = (epsilon: number, shape: readonly [number, number], v: Flat, old: Flat, returns: Flat) =>
    values(lossOf(epsilon)(float(shape, v), float(shape, old), float(shape, returns)))[0]!
  const unclipped = (v: Flat, returns: Flat) =>
    v.reduce((sum, x, i) => sum + (x - returns[i]!) ** 2, 0) / (2 * v.length)
  return [
    law("it is never below ½ the mean squared error", estimates, ({ shape, v, old, returns, epsilon }) => {
      const [clipped, plain] = [at(epsilon, shape, v, old, returns), unclipped(v, returns)]
      expectThat(clipped >= plain * (1 - 1e-5) - 1e-6, () => `${clipped} is below ${plain}`)
    }),
    law(
      "while values stay within ε of the old ones it is ½ the mean squared error",
      fc.tuple(estimates, real(1)),
      ([e, by]) => {
        const near = e.old.map((x, i) => x + e.epsilon * by * Math.cos(i))
        expectClose(at(e.epsilon, e.shape, near, e.old, e.returns), unclipped(near, e.returns))
      },
    ),
    law("values that have not moved give ½ the mean squared error", estimates, ({ shape, v, returns, epsilon }) => {
      expectClose(at(epsilon, shape, v, v, returns), unclipped(v, returns))
    }),
    law("a value that has moved past ε towards its return has a gradient of exactly 0, others not", estimates, (e) => {
      const moved = e.v.map((x, i) => x - e.old[i]!)
      // Away from the end of the range and from the point where both errors are equal.
      fc.pre(moved.every((m) => Math.abs(Math.abs(m) - e.epsilon) > 1e-3))
      const clip = (m: number) => Math.min(e.epsilon, Math.max(-e.epsilon, m))
      const errors = e.v.map((x, i): [number, number] => [
        Math.abs(x - e.returns[i]!),
        Math.abs(e.old[i]! + clip(moved[i]!) - e.returns[i]!),
      ])
      fc.pre(errors.every(([plain, clipped], i) => Math.abs(moved[i]!) < e.epsilon || Math.abs(plain - clipped) > 1e-3))
      const g = values(
        gradient(
          (v) => lossOf(e.epsilon)(v!, float(e.shape, e.old), float(e.shape, e.returns)),
          [float(e.shape, e.v)],
        )[0]!,
      )
      errors.forEach(([plain, clipped], i) => {
        const flat = plain === 0 || (Math.abs(moved[i]!) > e.epsilon && clipped > plain)
        expectThat(
          (g[i] === 0) === flat,
          () => `gradient ${g[i]} where the errors are ${plain} and, clipped, ${clipped}`,
        )
      })
    }),
    law("moving every number by a constant changes nothing", fc.tuple(estimates, real()), ([e, c]) => {
      const by = (x: Flat) => x.map((v) => v + c)
      expectClose(
        at(e.epsilon, e.shape, by(e.v), by(e.old), by(e.returns)),
        at(e.epsilon, e.shape, e.v, e.old, e.returns),
      )
    }),
  ]
}

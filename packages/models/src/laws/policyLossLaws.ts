import {
  expectClose,
  expectSame,
  expectThat,
  float,
  gradient,
  grid,
  type Law,
  law,
  real,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** A clipped policy loss, the mean over all of [b t], for an ε. */
export type PolicyLossOf = (
  epsilon: number,
) => (logProb: tf.Tensor, oldLogProb: tf.Tensor, advantages: tf.Tensor) => tf.Scalar

const anySteps = fc.tuple(size(1, 3), size(1, 5)).chain(([b, t]) =>
  fc.record({
    shape: fc.constant([b, t] as const),
    logProb: grid([b, t], real(1)),
    oldLogProb: grid([b, t], real(1)),
    advantages: grid([b, t]),
    epsilon: fc.constantFrom(0.1, 0.2, 0.3),
  }),
)

/** Log-probabilities of tokens, those when they were sampled, and advantages, with an ε. */
export const steps = anySteps

/** Whether every ratio is well away from both ends of the clip range, where the loss has kinks. */
export const awayFromKinks = (
  logProb: ReadonlyArray<number>,
  old: ReadonlyArray<number>,
  ends: ReadonlyArray<number>,
) => logProb.every((x, i) => ends.every((end) => Math.abs(Math.exp(x - old[i]!) - end) > 1e-3))

const mean = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0) / x.length

/**
 * What PPO's clipped surrogate obeys.
 * @param epsilon  of a loss that has but one: the laws that change it are left out
 * @source Schulman et al. 2017, eq. 7
 */
export const policyLossLaws = (
  lossOf: PolicyLossOf,
  { epsilon: fixed }: { readonly epsilon?: number } = {},
): ReadonlyArray<Law> => {
  const steps = fixed === undefined ? anySteps : anySteps.map((e) => ({ ...e, epsilon: fixed }))
  const at = (
    epsilon: number,
    shape: readonly [number, number],
    ...x: [ReadonlyArray<number>, ReadonlyArray<number>, ReadonlyArray<number>]
  ) => values(lossOf(epsilon)(float(shape, x[0]), float(shape, x[1]), float(shape, x[2])))[0]!
  const slope = (
    epsilon: number,
    shape: readonly [number, number],
    ...x: [ReadonlyArray<number>, ReadonlyArray<number>, ReadonlyArray<number>]
  ) => values(gradient((p) => lossOf(epsilon)(p!, float(shape, x[1]), float(shape, x[2])), [float(shape, x[0])])[0]!)
  const unclipped = (logProb: ReadonlyArray<number>, old: ReadonlyArray<number>, advantages: ReadonlyArray<number>) =>
    mean(advantages.map((a, i) => -a * Math.exp(logProb[i]! - old[i]!)))

  return [
    law("at ratio 1 the loss is minus the mean advantage", steps, ({ shape, logProb, advantages, epsilon }) => {
      expectClose(at(epsilon, shape, logProb, logProb, advantages), -mean(advantages))
    }),
    law("at ratio 1 the gradient is the policy gradient, −A / n", steps, ({ shape, logProb, advantages, epsilon }) => {
      const policyGradient = advantages.map((a) => -a / advantages.length)
      expectClose(slope(epsilon, shape, logProb, logProb, advantages), policyGradient)
    }),
    law("it is never below the unclipped loss", steps, ({ shape, logProb, oldLogProb, advantages, epsilon }) => {
      const [clipped, plain] = [
        at(epsilon, shape, logProb, oldLogProb, advantages),
        unclipped(logProb, oldLogProb, advantages),
      ]
      expectThat(clipped >= plain - 1e-5 * Math.max(1, Math.abs(plain)), () => `${clipped} is below ${plain}`)
    }),
    law(
      "the gradient is exactly 0 where A > 0, ρ > 1 + ε or A < 0, ρ < 1 − ε, and nowhere else",
      steps,
      ({ shape, logProb, oldLogProb, advantages, epsilon }) => {
        fc.pre(awayFromKinks(logProb, oldLogProb, [1 - epsilon, 1 + epsilon]))
        const g = slope(epsilon, shape, logProb, oldLogProb, advantages)
        advantages.forEach((a, i) => {
          const ratio = Math.exp(logProb[i]! - oldLogProb[i]!)
          const flat = a === 0 || (a > 0 && ratio > 1 + epsilon) || (a < 0 && ratio < 1 - epsilon)
          expectThat((g[i] === 0) === flat, () => `gradient ${g[i]} at A = ${a}, ρ = ${ratio}`)
        })
      },
    ),
    law(
      "where the gradient is not 0 it is that of the unclipped loss",
      steps,
      ({ shape, logProb, oldLogProb, advantages, epsilon }) => {
        fc.pre(awayFromKinks(logProb, oldLogProb, [1 - epsilon, 1 + epsilon]))
        const g = slope(epsilon, shape, logProb, oldLogProb, advantages)
        const plain = advantages.map((a, i) => (-a * Math.exp(logProb[i]! - oldLogProb[i]!)) / advantages.length)
        expectClose(
          g,
          plain.map((x, i) => (g[i] === 0 ? 0 : x)),
        )
      },
    ),
    law(
      "scaling the advantages scales the loss",
      fc.tuple(steps, size(0, 8)),
      ([{ shape, logProb, oldLogProb, advantages, epsilon }, c]) => {
        const scaled = advantages.map((a) => (a * c) / 2)
        expectClose(
          at(epsilon, shape, logProb, oldLogProb, scaled),
          (c / 2) * at(epsilon, shape, logProb, oldLogProb, advantages),
        )
      },
    ),
    law(
      "only the ratio counts",
      fc.tuple(steps, real()),
      ([{ shape, logProb, oldLogProb, advantages, epsilon }, c]) => {
        const moved = (x: ReadonlyArray<number>) => x.map((v) => v + c)
        expectClose(
          at(epsilon, shape, moved(logProb), moved(oldLogProb), advantages),
          at(epsilon, shape, logProb, oldLogProb, advantages),
        )
      },
    ),
    law("advantages of 0 give 0 and no gradient", steps, ({ shape, logProb, oldLogProb, advantages, epsilon }) => {
      const none = advantages.map(() => 0)
      expectSame(
        [at(epsilon, shape, logProb, oldLogProb, none), ...slope(epsilon, shape, logProb, oldLogProb, none)],
        [0, ...none],
      )
    }),
    ...(fixed !== undefined
      ? []
      : [
          law(
            "without a clip range in reach it is the unclipped loss",
            steps,
            ({ shape, logProb, oldLogProb, advantages }) => {
              expectClose(at(1e6, shape, logProb, oldLogProb, advantages), unclipped(logProb, oldLogProb, advantages))
            },
          ),
        ]),
  ]
}

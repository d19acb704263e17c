import { expectClose, expectSame, float, grid, type Law, law, real, rows, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** Advantages and returns [b t] from rewards and values [b t]. */
export type Gae = (
  rewards: tf.Tensor,
  values: tf.Tensor,
  config: { readonly discount: number; readonly lambda: number },
) => { readonly advantages: tf.Tensor; readonly returns: tf.Tensor }

const rate = size(0, 20).map((n) => n / 20)

const anyRollouts = fc.tuple(size(1, 3), size(1, 6)).chain(([b, t]) =>
  fc.record({
    shape: fc.constant([b, t] as const),
    rewards: grid([b, t]),
    values: grid([b, t]),
    discount: rate,
    lambda: rate,
  }),
)

/** Rewards and values, with rates. */
export const rollouts = anyRollouts

/** Σ_k γ^k R_{t+k} to the end of each sequence. */
const discounted = (rewards: ReadonlyArray<number>, t: number, discount: number): Array<number> =>
  rows(rewards, t).flatMap((row) => row.map((_, i) => row.slice(i).reduce((sum, r, k) => sum + discount ** k * r, 0)))

/** V_{t+1}, and 0 after the end. */
const following = (flat: ReadonlyArray<number>, t: number): Array<number> =>
  rows(flat, t).flatMap((row) => [...row.slice(1), 0])

/**
 * What generalised advantage estimation obeys.
 * @param fixed  the rates of an implementation that has but these: laws of other rates are left out
 * @source Schulman et al. 2016
 */
export const gaeLaws = (
  gae: Gae,
  fixed?: { readonly discount: number; readonly lambda: number },
): ReadonlyArray<Law> => {
  const rollouts = fixed === undefined ? anyRollouts : anyRollouts.map((e) => ({ ...e, ...fixed }))
  const at = (
    shape: readonly [number, number],
    rewards: ReadonlyArray<number>,
    values_: ReadonlyArray<number>,
    config: { discount: number; lambda: number },
  ) => {
    const { advantages, returns } = gae(float(shape, rewards), float(shape, values_), config)
    return { advantages: values(advantages), returns: values(returns) }
  }
  const atRates = [
    {
      lambda: 1,
      law: law("with λ = 1 the returns are the discounted rewards, whatever the values", rollouts, (e) => {
        const { returns } = at(e.shape, e.rewards, e.values, { discount: e.discount, lambda: 1 })
        expectClose(returns, discounted(e.rewards, e.shape[1], e.discount))
      }),
    },
    {
      lambda: 0,
      law: law("with λ = 0 the advantage is the error of one step", rollouts, (e) => {
        const next = following(e.values, e.shape[1])
        const delta = e.rewards.map((r, i) => r + e.discount * next[i]! - e.values[i]!)
        expectClose(at(e.shape, e.rewards, e.values, { discount: e.discount, lambda: 0 }).advantages, delta)
      }),
    },
    {
      discount: 0,
      law: law("with γ = 0 the advantage is R − V", rollouts, (e) => {
        const gap = e.rewards.map((r, i) => r - e.values[i]!)
        expectClose(at(e.shape, e.rewards, e.values, { discount: 0, lambda: e.lambda }).advantages, gap)
      }),
    },
  ]
  const applies = ({ lambda, discount }: { lambda?: number; discount?: number }): boolean =>
    fixed === undefined ||
    ((lambda ?? fixed.lambda) === fixed.lambda && (discount ?? fixed.discount) === fixed.discount)
  return [
    ...atRates.filter(applies).map((each) => each.law),
    law("the returns are the advantages plus the values", rollouts, (e) => {
      const { advantages, returns } = at(e.shape, e.rewards, e.values, e)
      expectClose(
        returns,
        advantages.map((a, i) => a + e.values[i]!),
      )
    }),
    law("it is linear in rewards and values together", fc.tuple(rollouts, real(3), fc.nat(99)), ([e, c, turn]) => {
      const [r2, v2] = [e.values.map((x) => x * Math.cos(turn)), e.rewards.map((x) => x * Math.sin(turn))]
      const sum = at(
        e.shape,
        e.rewards.map((x, i) => x + c * r2[i]!),
        e.values.map((x, i) => x + c * v2[i]!),
        e,
      ).advantages
      const [a, b] = [at(e.shape, e.rewards, e.values, e).advantages, at(e.shape, r2, v2, e).advantages]
      expectClose(
        sum,
        a.map((x, i) => x + c * b[i]!),
      )
    }),
    law(
      "shaping by a potential, R + γ Φ' − Φ with V − Φ, never changes an advantage",
      rollouts.chain((e) => fc.tuple(fc.constant(e), grid(e.shape))),
      ([e, potential]) => {
        const next = following(potential, e.shape[1])
        const shaped = at(
          e.shape,
          e.rewards.map((r, i) => r + e.discount * next[i]! - potential[i]!),
          e.values.map((v, i) => v - potential[i]!),
          e,
        )
        expectClose(shaped.advantages, at(e.shape, e.rewards, e.values, e).advantages)
      },
    ),
    law("true values have advantages of 0, whatever λ", rollouts, (e) => {
      const truth = discounted(e.rewards, e.shape[1], e.discount)
      expectClose(
        at(e.shape, e.rewards, truth, e).advantages,
        truth.map(() => 0),
      )
    }),
    law(
      "what came earlier never changes a bit of an advantage",
      fc.tuple(rollouts, fc.nat(5), real()),
      ([e, cut, by]) => {
        const t = e.shape[1]
        const moved = (flat: ReadonlyArray<number>) => flat.map((x, i) => (i % t < cut ? x + by : x))
        const late = (flat: ReadonlyArray<number>) => flat.filter((_, i) => i % t >= cut)
        const changed = at(e.shape, moved(e.rewards), moved(e.values), e).advantages
        expectSame(late(changed), late(at(e.shape, e.rewards, e.values, e).advantages))
      },
    ),
    law("it is the recursion A = δ + γλ A'", rollouts, (e) => {
      const { advantages } = at(e.shape, e.rewards, e.values, e)
      const [nextValue, nextAdvantage] = [following(e.values, e.shape[1]), following(advantages, e.shape[1])]
      expectClose(
        advantages,
        e.rewards.map((r, i) => r + e.discount * (nextValue[i]! + e.lambda * nextAdvantage[i]!) - e.values[i]!),
      )
    }),
  ]
}

import {
  bool,
  expectClose,
  expectThat,
  float,
  grid,
  type Law,
  law,
  real,
  rightPadded,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { gae } from "../losses/gae.js"

/** Rewards, their KL and the mask of both, each [b t], from a score [b], log-probabilities [b t], a mask [b t] and β. */
export type TokenRewardsOf = (
  score: tf.Tensor,
  logProb: tf.Tensor,
  reference: tf.Tensor,
  mask: tf.Tensor,
  beta: number,
) => { readonly rewards: tf.Tensor; readonly kl: tf.Tensor; readonly mask: tf.Tensor }

/** Scored answers of any length up to t. */
export const answers = fc.tuple(size(1, 3), size(1, 5)).chain(([b, t]) =>
  fc.record({
    shape: fc.constant([b, t] as const),
    score: grid([b]),
    p: grid([b, t], real(2)),
    q: grid([b, t], real(2)),
    mask: rightPadded(b, t),
    beta: real(1),
  }),
)
type Answers = typeof answers extends fc.Arbitrary<infer T> ? T : never

/**
 * What the rewards of tokens obey, wherever the score lands.
 * @source Ouyang et al. 2022, eq. 2
 */
export const tokenRewardsLaws = (rewardsOf: TokenRewardsOf): ReadonlyArray<Law> => {
  const at = ({ shape, score, p, q, mask, beta }: Answers) =>
    rewardsOf(float([shape[0]], score), float(shape, p), float(shape, q), bool(shape, mask), beta)
  const sums = (x: tf.Tensor): ReadonlyArray<number> =>
    rows(values(x), x.shape[1]!).map((row) => row.reduce((a, b) => a + b, 0))
  return [
    law("the rewards of an answer sum to its score less β times its KL", answers, (e) => {
      const { rewards, kl } = at(e)
      const expected = sums(kl).map((each, i) => e.score[i]! - e.beta * each)
      expectClose(sums(rewards), expected)
    }),
    law(
      "with γ = λ = 1 the first token's return is the score less β times the KL, under the mask that it gives",
      answers,
      (e) => {
        const given = at(e)
        const { returns } = gae(given.rewards, tf.zeros([...e.shape]), given.mask, { discount: 1, lambda: 1 })
        const expected = sums(given.kl).map((each, i) => e.score[i]! - e.beta * each)
        expectClose(tf.slice(returns, [0, 0], [e.shape[0], 1]), expected)
      },
    ),
    law("equal policies leave the score alone", answers, (e) => {
      const { rewards, kl } = at({ ...e, q: e.p })
      expectClose(
        kl,
        values(kl).map(() => 0),
      )
      expectClose(sums(rewards), e.score)
      const places = rows(values(rewards), e.shape[1]).map((row) => row.filter((x) => x !== 0).length)
      expectThat(
        places.every((n) => n <= 1),
        () => `the score lies at ${Math.max(...places)} places`,
      )
    }),
    law("with β = 0 the KL is not rewarded", answers, (e) => {
      expectClose(sums(at({ ...e, beta: 0 }).rewards), e.score)
    }),
    law("what comes after an answer's last token has no KL", answers, (e) => {
      const kl = values(at(e).kl)
      expectClose(
        kl.filter((_, i) => e.mask[i] === 0),
        kl.filter((_, i) => e.mask[i] === 0).map(() => 0),
      )
    }),
    law("a score that is one higher raises the sum of that answer's rewards by one, and no other's", answers, (e) => {
      const [before, after] = [
        sums(at(e).rewards),
        sums(at({ ...e, score: e.score.map((x, i) => (i === 0 ? x + 1 : x)) }).rewards),
      ]
      expectClose(
        after,
        before.map((x, i) => (i === 0 ? x + 1 : x)),
      )
    }),
  ]
}

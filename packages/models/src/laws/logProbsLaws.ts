import {
  bool,
  expectClose,
  expectSame,
  expectThat,
  float,
  grid,
  ids,
  type Law,
  law,
  real,
  rightPadded,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** The log-probability of each token [b t] given those before it, from logits [b t v], tokens and a mask [b t]. */
export type LogProbsOf = (logits: tf.Tensor, tokens: tf.Tensor, mask: tf.Tensor) => tf.Tensor

const texts = fc.tuple(size(1, 3), size(1, 4), size(1, 5)).chain(([b, t, v]) =>
  fc.record({
    shape: fc.constant([b, t, v] as const),
    logits: grid([b, t, v]),
    tokens: grid([b, t], size(0, v - 1)),
    mask: rightPadded(b, t),
  }),
)
type Text = typeof texts extends fc.Arbitrary<infer T> ? T : never

/** What the log-probabilities of a text's tokens obey. */
export const logProbsLaws = (logProbs: LogProbsOf): ReadonlyArray<Law> => {
  const at = ({ shape: [b, t, v], logits, tokens, mask }: Text): ReadonlyArray<number> =>
    values(logProbs(float([b, t, v], logits), ids([b, t], tokens), bool([b, t], mask)))
  const everything = (e: Text): Text => ({ ...e, mask: e.mask.map(() => 1) })
  return [
    law("none is above 0", texts, (e) => {
      const most = Math.max(...at(e))
      expectThat(most <= 1e-6, () => `${most}`)
    }),
    law("the first token's is 0: nothing comes before it", texts, (e) => {
      const firsts = at(e).filter((_, i) => i % e.shape[1] === 0)
      expectSame(
        firsts,
        firsts.map(() => 0),
      )
    }),
    law("adding a constant to the logits of a position changes nothing", fc.tuple(texts, real(20)), ([e, c]) => {
      const moved = e.logits.map((x, i) => x + c * Math.cos(Math.floor(i / e.shape[2])))
      expectClose(at({ ...e, logits: moved }), at(e))
    }),
    law("the probabilities of all next tokens sum to 1", texts, (e) => {
      const [b, t, v] = e.shape
      const sums = Array.from({ length: b * t }, () => 0)
      for (let token = 0; token < v; token++) {
        const each = at(everything({ ...e, tokens: e.tokens.map(() => token) }))
        for (const [i, logP] of each.entries()) sums[i]! += Math.exp(logP)
      }
      expectClose(
        sums.filter((_, i) => i % t > 0),
        sums.filter((_, i) => i % t > 0).map(() => 1),
      )
    }),
    law("uniform logits give −ln v", texts, (e) => {
      const [, t, v] = e.shape
      const found = at(everything({ ...e, logits: e.logits.map(() => 2) }))
      expectClose(
        found,
        found.map((_, i) => (i % t === 0 ? 0 : -Math.log(v))),
      )
    }),
    law("a token's is read at the logits of the position before it", texts, (e) => {
      const [, t, v] = e.shape
      const changed = e.logits.map((x, i) => (Math.floor(i / v) % t === t - 1 ? -x + i : x))
      expectSame(at({ ...e, logits: changed }), at(e))
    }),
    law("what is masked, as logits NaN or as tokens out of range, is 0 and changes no bit", texts, (e) => {
      const [, t, v] = e.shape
      const dirty: Text = {
        ...e,
        logits: rows(e.logits, v).flatMap((row, i) => (e.mask[i] === 1 ? row : row.map(() => Number.NaN))),
        tokens: e.tokens.map((token, i) => (e.mask[i] === 1 ? token : -1000)),
      }
      expectSame(
        at(dirty),
        at(e).map((x, i) => (e.mask[i] === 1 && i % t > 0 ? x : 0)),
      )
    }),
  ]
}

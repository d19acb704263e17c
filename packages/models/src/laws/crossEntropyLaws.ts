import {
  bool,
  expectClose,
  expectSame,
  expectThat,
  float,
  gradient,
  grid,
  ids,
  type Law,
  law,
  logSoftmax,
  real,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** Logits [b t v], of which those at t predict token t + 1, tokens [b t] and a mask of the tokens [b t] to a scalar. */
export type LanguageLoss = (logits: tf.Tensor, tokens: tf.Tensor, mask: tf.Tensor) => tf.Scalar

const sum = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0)

export const texts = fc.tuple(size(1, 3), size(2, 4), size(2, 5)).chain(([b, t, v]) =>
  fc.record({
    shape: fc.constant([b, t, v] as const),
    logits: grid([b, t, v]),
    tokens: grid([b, t], size(0, v - 1)),
    // At least one token after the first is predicted.
    mask: grid([b, t], size(0, 1)).filter((mask) => mask.some((m, i) => m === 1 && i % t > 0)),
  }),
)

/** Whether position i of [b t] predicts a token that counts. */
const predicts = (mask: ReadonlyArray<number>, t: number, i: number): boolean => i % t < t - 1 && mask[i + 1] === 1

/** What every next-token cross-entropy obeys. `tokenMean` adds what only the mean over tokens does. */
export const crossEntropyLaws = (loss: LanguageLoss, { tokenMean = true } = {}): ReadonlyArray<Law> => {
  type Text = (typeof texts)["generate"] extends (...args: never) => { value: infer T } ? T : never
  const at = (text: Text, logits: ReadonlyArray<number> = text.logits): number =>
    values(
      loss(
        float(text.shape, logits),
        ids(text.shape.slice(0, 2), text.tokens),
        bool(text.shape.slice(0, 2), text.mask),
      ),
    )[0]!
  const slope = (text: Text): ReadonlyArray<number> => {
    const [tokens, mask] = [ids(text.shape.slice(0, 2), text.tokens), bool(text.shape.slice(0, 2), text.mask)]
    return values(gradient((logits) => loss(logits!, tokens, mask), [float(text.shape, text.logits)])[0]!)
  }

  const general = [
    law(
      "adding a constant to the logits of a position never changes the loss",
      fc.tuple(texts, real(20)),
      ([text, c]) => {
        const moved = text.logits.map((x, i) => x + c * Math.cos(Math.floor(i / text.shape[2])))
        expectClose(at(text, moved), at(text))
      },
    ),
    law("it is never negative", texts, (text) => {
      expectThat(at(text) >= 0, () => `${at(text)} is negative`)
    }),
    law("each position's gradient sums to 0", texts, (text) => {
      const sums = rows(slope(text), text.shape[2]).map(sum)
      expectClose(
        sums,
        sums.map(() => 0),
        { absolute: 1e-6 },
      )
    }),
    law("logits that predict no token that counts have a gradient of exactly 0", texts, (text) => {
      const [, t, v] = text.shape
      const g = slope(text)
      expectSame(
        g.filter((_, i) => !predicts(text.mask, t, Math.floor(i / v))),
        g.filter((_, i) => !predicts(text.mask, t, Math.floor(i / v))).map(() => 0),
      )
    }),
    law("what is masked, as logits NaN or as tokens out of range, changes no bit", texts, (text) => {
      const [, t, v] = text.shape
      const dirty = {
        ...text,
        logits: text.logits.map((x, i) => (predicts(text.mask, t, Math.floor(i / v)) ? x : Number.NaN)),
        tokens: text.tokens.map((token, i) => (i % t > 0 && text.mask[i] === 1 ? token : -1000)),
      }
      expectSame([at(dirty), ...slope(dirty)], [at(text), ...slope(text)])
    }),
    law("the order of the sequences is irrelevant", texts, (text) => {
      const [, t, v] = text.shape
      const turned = {
        shape: text.shape,
        logits: rows(text.logits, t * v)
          .reverse()
          .flat(),
        tokens: rows(text.tokens, t).reverse().flat(),
        mask: rows(text.mask, t).reverse().flat(),
      }
      expectClose(at(turned), at(text))
    }),
    law("a great logit of the right token gives 0, of a wrong one its height, without overflow", size(3, 6), (v) => {
      const one = { shape: [1, 2, v] as const, tokens: [0, 1], mask: [1, 1] }
      const high = (token: number) => Array.from({ length: 2 * v }, (_, i) => (i === token ? 1e4 : 0))
      expectClose([at({ ...one, logits: high(1) }), at({ ...one, logits: high(2) })], [0, 1e4])
    }),
  ]
  const means = [
    law("equal logits give ln v", texts, (text) => {
      const flat = text.logits.map(() => 1.5)
      expectClose(at(text, flat), Math.log(text.shape[2]))
    }),
    law("the gradient is (p − one-hot) / n", texts, (text) => {
      const [, t, v] = text.shape
      const n = text.mask.filter((m, i) => m === 1 && i % t > 0).length
      const expected = rows(text.logits, v).flatMap((row, i) =>
        logSoftmax(row).map((logP, token) =>
          predicts(text.mask, t, i) ? (Math.exp(logP) - (token === text.tokens[i + 1] ? 1 : 0)) / n : 0,
        ),
      )
      expectClose(slope(text), expected, { absolute: 1e-6 })
    }),
    law(
      "the loss of two batches is the mean of theirs, weighted by their tokens",
      fc.tuple(texts, texts),
      ([a, other]) => {
        const [, t, v] = a.shape
        // The other batch's numbers in the first one's shape.
        const b = {
          shape: a.shape,
          logits: a.logits.map((_, i) => other.logits[i % other.logits.length]!),
          tokens: a.tokens.map((_, i) => other.tokens[i % other.tokens.length]! % v),
          mask: a.mask.map((_, i) => (i % t === 1 || other.mask[i % other.mask.length] === 1 ? 1 : 0)),
        }
        const both = {
          shape: [2 * a.shape[0], t, v] as const,
          logits: [...a.logits, ...b.logits],
          tokens: [...a.tokens, ...b.tokens],
          mask: [...a.mask, ...b.mask],
        }
        const count = (mask: ReadonlyArray<number>) => mask.filter((m, i) => m === 1 && i % t > 0).length
        const [n, m] = [count(a.mask), count(b.mask)]
        expectClose(at(both), (n * at(a) + m * at(b)) / (n + m))
      },
    ),
  ]
  return tokenMean ? [...general, ...means] : general
}

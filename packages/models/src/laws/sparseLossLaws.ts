import {
  expectClose,
  expectSame,
  float,
  gradient,
  grid,
  ids,
  type Law,
  law,
  rightPadded,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { SparseLoss } from "../losses/sparse.js"

/** A loss of text logits [b t v], image logits [b s k], tokens [b t], a mask [b t] and codes [b s]. */
export type SparseLossOf = (
  text: tf.Tensor,
  image: tf.Tensor,
  tokens: tf.Tensor,
  mask: tf.Tensor,
  codes: tf.Tensor,
) => SparseLoss

/** Captions and images; `v` classes of text of which the last `t` are paddings. */
export const captioned = fc
  .record({ b: size(1, 2), t: size(1, 4), words: size(1, 3), s: size(1, 4), k: size(1, 4) })
  .chain(({ b, t, words, s, k }) =>
    fc.record({
      sizes: fc.constant({ b, t, s, k, v: words + t }),
      text: grid([b, t, words + t]),
      image: grid([b, s, k]),
      tokens: grid([b, t], fc.nat(words - 1)),
      mask: rightPadded(b, t),
      codes: grid([b, s], fc.nat(k - 1)),
    }),
  )
type Captioned = typeof captioned extends fc.Arbitrary<infer T> ? T : never

/**
 * What the loss over text and image obeys.
 * @source Ramesh et al. 2021, section 2.2
 */
export const sparseLossLaws = (
  lossOf: SparseLossOf,
  { pads }: { readonly pads: "counted" | "ignored" },
): ReadonlyArray<Law> => {
  const logitsOf = ({ sizes: { b, t, s, k, v }, text, image }: Captioned): [tf.Tensor, tf.Tensor] => [
    float([b, t, v], text),
    float([b, s, k], image),
  ]
  const at = (e: Captioned, [text, image] = logitsOf(e)): SparseLoss => {
    const { b, t, s } = e.sizes
    return lossOf(text, image, ids([b, t], e.tokens), float([b, t], e.mask), ids([b, s], e.codes))
  }
  const someText = captioned.filter(
    ({ sizes: { t }, mask }) => t > 1 && (pads === "counted" || mask.some((m, i) => i % t === 1 && m === 1)),
  )
  const general = [
    law("uniform logits cost ⅛ ln v + ⅞ ln k", someText, (e) => {
      const { b, t, s, v, k } = e.sizes
      const { loss, textLoss, imageLoss } = at(e, [tf.fill([b, t, v], 3), tf.fill([b, s, k], -2)])
      expectClose(textLoss, Math.log(v))
      expectClose(imageLoss, Math.log(k))
      expectClose(loss, Math.log(v) / 8 + (7 / 8) * Math.log(k))
    }),
    law("the ids at padding change no bit", captioned, (e) => {
      const other = { ...e, tokens: e.tokens.map((id, i) => (e.mask[i] === 1 ? id : -7)) }
      expectSame(at(other).loss, at(e).loss)
    }),
    law("a constant added to the logits of a position changes nothing", captioned, (e) => {
      const { b, t, s } = e.sizes
      const [text, image] = logitsOf(e)
      const shift = (n: number): tf.Tensor => tf.reshape(tf.sin(tf.range(0, b * n)), [b, n, 1])
      expectClose(at(e, [tf.add(text, shift(t)), tf.add(image, shift(s))]).loss, at(e).loss)
    }),
    law("the text's logits change the image's loss by nothing, nor the image's the text's", captioned, (e) => {
      const [text, image] = logitsOf(e)
      expectSame(at(e, [tf.neg(text), image]).imageLoss, at(e).imageLoss)
      expectSame(at(e, [text, tf.neg(image)]).textLoss, at(e).textLoss)
    }),
    law("each position's gradient sums to 0, and that of the last text position is 0", captioned, (e) => {
      const { t, v, k } = e.sizes
      const [text, image] = gradient((x, y) => at(e, [x!, y!]).loss, logitsOf(e)) as [tf.Tensor, tf.Tensor]
      const sums = [...rows(values(text), v), ...rows(values(image), k)].map((row) => row.reduce((a, b) => a + b, 0))
      expectClose(
        sums,
        sums.map(() => 0),
        { absolute: 1e-6 },
      )
      const last = values(text).filter((_, i) => Math.floor(i / v) % t === t - 1)
      expectSame(
        last,
        last.map(() => 0),
      )
    }),
  ]
  if (pads === "counted") return general
  return [
    ...general,
    law("logits that predict padding, be they NaN, change no bit and have a gradient of exactly 0", captioned, (e) => {
      const { t, v } = e.sizes
      const predicts = (i: number): boolean => {
        const place = Math.floor(i / v)
        return place % t < t - 1 && e.mask[place + 1] === 1
      }
      const dirty = { ...e, text: e.text.map((x, i) => (predicts(i) ? x : Number.NaN)) }
      expectSame(at(dirty).loss, at(e).loss)
      const slope = values(gradient((x) => at(e, [x!, logitsOf(e)[1]]).loss, [logitsOf(dirty)[0]])[0]!)
      expectSame(
        slope.filter((_, i) => !predicts(i)),
        slope.filter((_, i) => !predicts(i)).map(() => 0),
      )
    }),
  ]
}

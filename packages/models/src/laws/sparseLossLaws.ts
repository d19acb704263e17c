import {
  expectClose,
  expectGradient,
  expectSame,
  expectThat,
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
import { type SparseLossBatch, sparseLossReference } from "./reference/sparseLoss.js"

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

const at = ({ sizes: { b, t, s, v, k }, text, image }: Captioned) =>
  [
    { shape: [b, t, v], data: text },
    { shape: [b, s, k], data: image },
  ] as const

/** Whether position i of b t predicts a text token that counts. */
const predicts = ({ sizes: { t }, mask }: Captioned, pads: "counted" | "ignored", i: number): boolean =>
  i % t < t - 1 && (pads === "counted" || mask[i + 1] === 1)

/**
 * What the loss over text and image obeys, whether paddings are predicted or not.
 * @source Ramesh et al. 2021, section 2.2
 */
export const sparseLossLaws = (
  loss: SparseLossOf,
  { pads }: { readonly pads: "counted" | "ignored" },
): ReadonlyArray<Law> => {
  const lossOf = ({ sizes: { b, t, s }, tokens, mask, codes }: SparseLossBatch) => {
    const given = [ids([b, t], tokens), float([b, t], mask), ids([b, s], codes)] as const
    return (text: tf.Tensor, image: tf.Tensor) => loss(text, image, ...given)
  }
  const logitsOf = (batch: Captioned) =>
    at(batch).map(({ shape, data }) => float(shape, data)) as [text: tf.Tensor, image: tf.Tensor]
  const parts = ({ loss, textLoss, imageLoss }: SparseLoss) => [loss, textLoss, imageLoss].map((x) => values(x)[0]!)
  const withText = captioned.filter((batch) => batch.mask.some((_, i) => predicts(batch, pads, i)))

  const always = [
    law("it has the value and the gradient of the float64 reference", captioned, (batch) => {
      expectGradient(
        (text, image) => lossOf(batch)(text!, image!).loss,
        (text, image) => sparseLossReference(batch, pads, text!, image!),
        at(batch),
      )
    }),
    law("it is an eighth of the text's loss and seven eighths of the image's", captioned, (batch) => {
      const [whole, text, image] = parts(lossOf(batch)(...logitsOf(batch))) as [number, number, number]
      expectClose(whole, text / 8 + (7 * image) / 8)
    }),
    law("uniform logits cost ⅛ ln v + ⅞ ln k", withText, (batch) => {
      const { b, t, s, v, k } = batch.sizes
      const found = parts(lossOf(batch)(tf.fill([b, t, v], 3), tf.fill([b, s, k], -2)))
      expectClose(found, [Math.log(v) / 8 + (7 / 8) * Math.log(k), Math.log(v), Math.log(k)])
    }),
    law("no part of it is negative", captioned, (batch) => {
      for (const each of parts(lossOf(batch)(...logitsOf(batch)))) expectThat(each >= 0, () => `${each}`)
    }),
    law("the text's loss does not know the image, nor the image's the text", captioned, (batch) => {
      const [text, image] = logitsOf(batch)
      const { textLoss, imageLoss } = lossOf(batch)(text, image)
      const codes = batch.codes.map((code) => (code + 1) % batch.sizes.k)
      const other = lossOf({ ...batch, codes })(text, tf.mul(image, -2))
      expectSame(other.textLoss, values(textLoss))
      const words = batch.sizes.v - batch.sizes.t
      const tokens = batch.tokens.map((token) => (token + 1) % words)
      expectSame(lossOf({ ...batch, tokens })(tf.mul(text, -2), image).imageLoss, values(imageLoss))
    }),
    law("the ids at padding change no bit", captioned, (batch) => {
      const [text, image] = logitsOf(batch)
      const other = { ...batch, tokens: batch.tokens.map((id, i) => (batch.mask[i] === 1 ? id : -7)) }
      expectSame(lossOf(other)(text, image).loss, values(lossOf(batch)(text, image).loss))
    }),
    law("a constant added to the logits of a position changes nothing", captioned, (batch) => {
      const { b, t, s } = batch.sizes
      const [text, image] = logitsOf(batch)
      const shift = (n: number): tf.Tensor => tf.reshape(tf.sin(tf.range(0, b * n)), [b, n, 1])
      expectClose(
        lossOf(batch)(tf.add(text, shift(t)), tf.add(image, shift(s))).loss,
        values(lossOf(batch)(text, image).loss),
      )
    }),
    law("the gradient of each position's logits sums to 0", captioned, (batch) => {
      const slopes = gradient((text, image) => lossOf(batch)(text!, image!).loss, logitsOf(batch))
      for (const slope of slopes) expectClose(tf.sum(slope, -1), Array(slope.size / slope.shape[2]!).fill(0))
    }),
    law("logits that predict nothing have a gradient of exactly 0", captioned, (batch) => {
      const [text, image] = logitsOf(batch)
      const slope = rows(values(tf.grad((x: tf.Tensor) => lossOf(batch)(x, image).loss)(text)), batch.sizes.v)
      for (const [i, row] of slope.entries()) {
        if (!predicts(batch, pads, i)) expectSame(row, Array(batch.sizes.v).fill(0))
      }
    }),
    law("the order of the pairs of caption and image is irrelevant", captioned, (batch) => {
      const { t, s, v, k } = batch.sizes
      const turned = <T>(flat: ReadonlyArray<T>, width: number): Array<T> =>
        Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width))
          .reverse()
          .flat()
      const other = {
        ...batch,
        text: turned(batch.text, t * v),
        image: turned(batch.image, s * k),
        tokens: turned(batch.tokens, t),
        mask: turned(batch.mask, t),
        codes: turned(batch.codes, s),
      }
      expectClose(lossOf(other)(...logitsOf(other)).loss, values(lossOf(batch)(...logitsOf(batch)).loss))
    }),
  ]
  if (pads === "counted") return always
  return [
    ...always,
    law(
      "logits that predict padding, be they NaN, change no bit and have a gradient of exactly 0",
      captioned,
      (batch) => {
        const { b, t, v } = batch.sizes
        const [text, image] = logitsOf(batch)
        const seen = (i: number): boolean => predicts(batch, pads, Math.floor(i / v))
        const hidden = float(
          [b, t, v],
          batch.text.map((x, i) => (seen(i) ? x : Number.NaN)),
        )
        expectSame(lossOf(batch)(hidden, image).loss, values(lossOf(batch)(text, image).loss))
        const slope = values(gradient((x) => lossOf(batch)(x!, image).loss, [hidden])[0]!).filter((_, i) => !seen(i))
        expectSame(
          slope,
          slope.map(() => 0),
        )
      },
    ),
  ]
}

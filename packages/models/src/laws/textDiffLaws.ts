import { expectClose, float, grid, type Law, law, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** An image's embedding, a caption's and that of a base, and a share, to the embedding that is turned. */
export type TextDiff = (image: tf.Tensor, text: tf.Tensor, base: tf.Tensor, share: tf.Tensor | number) => tf.Tensor

type Numbers = ReadonlyArray<number>

const norm = (x: Numbers): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))
const unit = (x: Numbers): Array<number> => x.map((v) => v / norm(x))
const dot = (a: Numbers, b: Numbers): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
const minus = (a: Numbers, b: Numbers): Array<number> => a.map((v, i) => v - b[i]!)

/** Unit vectors; captions that differ, and not to the opposite of the image. */
const captionedAt = (share: fc.Arbitrary<number>) =>
  size(2, 5)
    .chain((c) => fc.record({ image: grid([c]), text: grid([c]), base: grid([c]), other: grid([c]), share }))
    .filter(({ image, text, base }) => norm(image) > 0.5 && norm(minus(text, base)) > 0.5)
    .map(({ image, ...rest }) => ({ ...rest, image: unit(image) }))
    .filter(({ image, text, base }) => dot(image, unit(minus(text, base))) > -0.98)

/** The embedding that is turned, as numbers. */
type Turned = (image: Numbers, text: Numbers, base: Numbers, share: number) => Numbers

const row = (x: Numbers): tf.Tensor => float([1, x.length], x)
const angleOf = (a: Numbers, b: Numbers): number => Math.acos(Math.max(-1, Math.min(1, dot(a, b))))

const isImageAtZero = (at: Turned): Law =>
  law("a share of 0 is the image", captionedAt(fc.constant(0)), ({ image, text, base }) => {
    expectClose(at(image, text, base, 0), image)
  })

const isDirectionAtOne = (at: Turned): Law =>
  law("a share of 1 is the direction from the base to the text", captionedAt(fc.constant(1)), (drawn) => {
    const { image, text, base } = drawn
    expectClose(at(image, text, base, 1), unit(minus(text, base)))
  })

/** At any share, or at one. */
const onTheWay = (at: Turned, captioned: ReturnType<typeof captionedAt>): ReadonlyArray<Law> => [
  law("the angle from the image grows evenly", captioned, ({ image, text, base, share }) => {
    const angle = angleOf(image, unit(minus(text, base)))
    expectClose(dot(image, at(image, text, base, share)), Math.cos(share * angle))
  }),
  law("the angle to the direction from the base to the text shrinks as evenly", captioned, (drawn) => {
    const { image, text, base, share } = drawn
    const towards = unit(minus(text, base))
    expectClose(dot(towards, at(image, text, base, share)), Math.cos((1 - share) * angleOf(image, towards)))
  }),
  law("every embedding on the way has unit norm", captioned, ({ image, text, base, share }) => {
    expectClose(norm(at(image, text, base, share)), 1)
  }),
  law("what both captions say alike does not matter", captioned, ({ image, text, base, other, share }) => {
    const plus = (x: Numbers): Numbers => x.map((v, i) => v + other[i]!)
    expectClose(at(image, plus(text), plus(base), share), at(image, text, base, share))
  }),
  law("how far apart the captions are does not matter", fc.tuple(captioned, size(1, 8)), ([e, far]) => {
    const { image, text, base, share } = e
    const away = base.map((v, i) => v + far * (text[i]! - v))
    expectClose(at(image, away, base, share), at(image, text, base, share))
  }),
]

/**
 * What a text diff obeys.
 * @source Ramesh et al. 2022, section 3.3
 */
export const textDiffLaws = (diff: TextDiff): ReadonlyArray<Law> => {
  const at: Turned = (image, text, base, share) => values(diff(row(image), row(text), row(base), share))
  return [isImageAtZero(at), isDirectionAtOne(at), ...onTheWay(at, captionedAt(size(0, 64).map((n) => n / 64)))]
}

/** A text diff by one share: an image's embedding, a caption's and that of a base, to the embedding that is turned. */
export type TextDiffAt = (image: tf.Tensor, text: tf.Tensor, base: tf.Tensor) => tf.Tensor

/** What a text diff by one share obeys. */
export const textDiffAtLaws = (diff: TextDiffAt, share: number): ReadonlyArray<Law> => {
  const at: Turned = (image, text, base) => values(diff(row(image), row(text), row(base)))
  return [
    ...(share === 0 ? [isImageAtZero(at)] : []),
    ...(share === 1 ? [isDirectionAtOne(at)] : []),
    ...onTheWay(at, captionedAt(fc.constant(share))),
  ]
}

import {
  bool,
  expectClose,
  expectSame,
  float,
  grid,
  type Law,
  law,
  real,
  rightPadded,
  size,
  values,
} from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** Whitened numbers [b t] where the mask is true, 0 elsewhere. */
export type Whiten = (x: tf.Tensor, mask: tf.Tensor) => tf.Tensor

type Numbers = ReadonlyArray<number>

const mean = (x: Numbers): number => x.reduce((a, b) => a + b, 0) / x.length
const spread = (x: Numbers): number => Math.max(...x) - Math.min(...x)
const kept = (x: Numbers, mask: Numbers): Array<number> => x.filter((_, i) => mask[i] === 1)

/** Numbers of [b t] with enough spread to whiten by, under a mask of sequences. */
export const spreadOut = fc
  .tuple(size(1, 3), size(2, 5))
  .chain(([b, t]) =>
    fc
      .record({ shape: fc.constant([b, t] as const), x: grid([b, t]), mask: rightPadded(b, t) })
      .filter(({ x, mask }) => spread(kept(x, mask)) > 0.5),
  )

/** What whitening obeys. @source lm-human-preferences, core.py */
export const whitenLaws = (
  whiten: Whiten,
  { shiftMean, variance }: { readonly shiftMean: boolean; readonly variance: "biased" | "unbiased" },
): ReadonlyArray<Law> => {
  const at = (shape: readonly [number, number], x: Numbers, mask: Numbers): Numbers =>
    values(whiten(float(shape, x), bool(shape, mask)))
  const centred = (x: Numbers): Numbers => x.map((v) => v - mean(x))
  return [
    law(shiftMean ? "the mean becomes 0" : "the mean is preserved", spreadOut, ({ shape, x, mask }) => {
      expectClose(mean(kept(at(shape, x, mask), mask)), shiftMean ? 0 : mean(kept(x, mask)))
    }),
    law("the variance becomes 1", spreadOut, ({ shape, x, mask }) => {
      const white = centred(kept(at(shape, x, mask), mask))
      const squares = white.reduce((sum, v) => sum + v ** 2, 0)
      expectClose(squares / (variance === "biased" ? white.length : white.length - 1), 1, { relative: 1e-4 })
    }),
    law(
      "whiten(a x + c) is sign(a) whiten(x), but for its mean",
      fc.tuple(spreadOut, real(3), real(3)),
      ([{ shape, x, mask }, a, c]) => {
        fc.pre(Math.abs(a) > 0.1)
        const moved = x.map((v) => a * v + c)
        const most = Math.max(...moved.map(Math.abs))
        // float32 rounds a x + c by its size, and whitening divides by how far it is spread, with an ε of up to 1e-6.
        const wide = spread(kept(moved, mask))
        const rounding = (1e-6 * most) / wide + 1.5e-5 / wide ** 2
        expectClose(
          centred(kept(at(shape, moved, mask), mask)),
          centred(kept(at(shape, x, mask), mask)).map((v) => Math.sign(a) * v),
          { absolute: 1e-4 + rounding },
        )
      },
    ),
    law("whitening twice is whitening once", spreadOut, ({ shape, x, mask }) => {
      const once = at(shape, x, mask)
      expectClose(at(shape, once, mask), once, { absolute: 1e-4 })
    }),
    law("masked positions become 0 and count for nothing", spreadOut, ({ shape, x, mask }) => {
      const white = at(
        shape,
        x.map((v, i) => (mask[i] === 1 ? v : Number.NaN)),
        mask,
      )
      expectSame(
        white,
        at(shape, x, mask).map((v, i) => (mask[i] === 1 ? v : 0)),
      )
    }),
    law("the order of the numbers stays as it was", spreadOut, ({ shape, x, mask }) => {
      const order = (numbers: Numbers): Numbers =>
        kept(numbers, mask).map((v, _, all) => all.filter((w) => w < v).length)
      const apart = kept(x, mask).every((v, i, all) => all.every((w, j) => i === j || Math.abs(v - w) > 0.01))
      fc.pre(apart)
      expectSame(order(at(shape, x, mask)), order(x))
    }),
  ]
}

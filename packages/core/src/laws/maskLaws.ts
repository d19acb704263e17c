import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expectClose, expectSame, values } from "./close.js"
import { mask as anyMask, bool, float, gradient, grid, rightPadded, size } from "./examples.js"
import { type Law, law } from "./law.js"

/** A loss of inputs [b t …] under a mask [b t]; a result for each token is to be weighed and summed. */
export type MaskedLoss = (inputs: ReadonlyArray<tf.Tensor>, mask: tf.Tensor) => tf.Scalar

/** What a masked position may hold and nobody may notice. */
const junk = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -1)

export interface MaskLawsOptions {
  /** Masks of sequences that end, rather than any mask. */
  readonly padded?: boolean
  /** The smallest t. */
  readonly shortest?: number
}

/**
 * Masks cannot leak, into the value or into a gradient.
 * @param inputs  the axes after b and t of each input: `[[], [5]]` is [b t] and [b t 5]
 */
export const maskLaws = (
  inputs: ReadonlyArray<ReadonlyArray<number>>,
  loss: MaskedLoss,
  { padded = false, shortest = 1 }: MaskLawsOptions = {},
): ReadonlyArray<Law> => {
  const batch = fc.tuple(size(1, 3), size(shortest, 5)).chain(([b, t]) =>
    fc.record({
      shape: fc.constant([b, t] as const),
      mask: padded ? rightPadded(b, t) : anyMask([b, t]),
      data: fc.tuple(...inputs.map((axes) => grid([b, t, ...axes]))),
      junk,
    }),
  )
  /** The loss and all its gradients. */
  const all = (
    [b, t]: readonly [number, number],
    data: ReadonlyArray<ReadonlyArray<number>>,
    mask: ReadonlyArray<number>,
  ) => {
    const tensors = data.map((flat, i) => float([b, t, ...inputs[i]!], flat))
    const keep = bool([b, t], mask)
    return {
      value: values(loss(tensors, keep)),
      gradients: gradient((...x) => loss(x, keep), tensors).map((g) => values(g)),
    }
  }
  const fill = (flat: ReadonlyArray<number>, mask: ReadonlyArray<number>, by: number) =>
    flat.map((x, i) => (mask[Math.floor((i * mask.length) / flat.length)] === 1 ? x : by))

  return [
    law("what a masked position holds, NaN or infinite, changes no bit of the value or the gradients", batch, (e) => {
      const clean = all(e.shape, e.data, e.mask)
      const dirty = all(
        e.shape,
        e.data.map((flat) => fill(flat, e.mask, e.junk)),
        e.mask,
      )
      expectSame(dirty.value, clean.value)
      dirty.gradients.forEach((g, i) => {
        expectSame(g, clean.gradients[i]!)
      })
    }),
    law("the gradient at a masked position is 0", batch, (e) => {
      for (const g of all(e.shape, e.data, e.mask).gradients) expectSame(fill(g, e.mask, 0), g)
    }),
    law("a batch that is masked as a whole gives 0 and gradients of 0", batch, (e) => {
      const none = e.mask.map(() => 0)
      const nothing = all(
        e.shape,
        e.data.map((flat) => fill(flat, none, e.junk)),
        none,
      )
      expectSame(nothing.value, 0)
      for (const g of nothing.gradients)
        expectSame(
          g,
          g.map(() => 0),
        )
    }),
    law("a masked column more changes nothing", batch, (e) => {
      const [b, t] = e.shape
      const widen = (flat: ReadonlyArray<number>, by: number): Array<number> => {
        const [width, extra] = [flat.length / b, flat.length / b / t]
        return Array.from({ length: b }, (_, row) => [
          ...flat.slice(row * width, (row + 1) * width),
          ...Array.from({ length: extra }, () => by),
        ]).flat()
      }
      const narrow = all(e.shape, e.data, e.mask)
      const wide = all(
        [b, t + 1],
        e.data.map((flat) => widen(flat, e.junk)),
        widen(e.mask, 0),
      )
      expectClose(wide.value, narrow.value)
      wide.gradients.forEach((g, i) => {
        expectClose(g, widen(narrow.gradients[i]!, 0))
      })
    }),
  ]
}

/** Σ w x with fixed weights that no symmetry hides: a scalar from a result for each token. */
export const weighed = (x: tf.Tensor): tf.Scalar => {
  const [b = 1, t = 1] = x.shape
  const w = Array.from({ length: b * t }, (_, i) => Math.cos(1 + 5 * Math.floor(i / t) + 2 * (i % t)))
  return tf.sum(tf.mul(x, float([b, t], w)))
}

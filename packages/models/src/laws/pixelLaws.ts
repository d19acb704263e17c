import { expectClose, expectThat, float, grid, type Law, law, real, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** The ε-map and what undoes it. */
export interface PixelMapOf {
  readonly map: (x: tf.Tensor) => tf.Tensor
  readonly unmap: (x: tf.Tensor) => tf.Tensor
}

const pixels = grid(
  [6],
  fc.integer({ min: 0, max: 1024 }).map((n) => n / 1024),
)

/**
 * What the map of pixels into (0, 1), away from its ends, obeys.
 * @source Ramesh et al. 2021, appendix A.3
 */
export const pixelLaws = ({ map, unmap }: PixelMapOf): ReadonlyArray<Law> => {
  const phi = (x: ReadonlyArray<number>) => values(map(float([x.length], x)))
  return [
    law("0 becomes 0.1 and 1 becomes 0.9", fc.constant(null), () => {
      expectClose(phi([0, 1]), [0.1, 0.9], { absolute: 1e-6 })
    }),
    law("φ(1 − x) is 1 − φ(x)", pixels, (x) => {
      expectClose(
        phi(x.map((each) => 1 - each)),
        phi(x).map((each) => 1 - each),
        { absolute: 1e-6 },
      )
    }),
    law("differences shrink to 0.8 of themselves", pixels, (x) => {
      const [first = 0, ...rest] = phi(x)
      expectClose(
        rest.map((each) => each - first),
        x.slice(1).map((each) => 0.8 * (each - x[0]!)),
        { absolute: 1e-6 },
      )
    }),
    law("undoing it gives the pixels back", pixels, (x) => {
      expectClose(values(unmap(map(float([x.length], x)))), x, { absolute: 1e-6 })
    }),
    law("undoing what no pixel became gives a pixel", grid([6], real(9)), (x) => {
      for (const each of values(unmap(float([6], x)))) expectThat(each >= 0 && each <= 1, () => `${each} is no pixel`)
    }),
  ]
}

import type * as tf from "@tensorflow/tfjs-core"
import { expectClose, values } from "./close.js"
import { float, gradient } from "./examples.js"

/** Central differences in float64 of a function of several lists of numbers. */
export const finiteDifference = (
  f: (...x: Array<Array<number>>) => number,
  at: ReadonlyArray<ReadonlyArray<number>>,
  step = 1e-5,
): Array<Array<number>> =>
  at.map((list, argument) =>
    list.map((_, i) => {
      const moved = (by: number) => f(...at.map((x, a) => x.map((v, j) => (a === argument && j === i ? v + by : v))))
      return (moved(step) - moved(-step)) / (2 * step)
    }),
  )

/**
 * Throws unless a loss has the value of its float64 reference and the gradient of the reference's central differences.
 * Where the loss has a kink the caller keeps its examples away from it.
 */
export const expectGradient = (
  loss: (...x: Array<tf.Tensor>) => tf.Scalar,
  reference: (...x: Array<Array<number>>) => number,
  at: ReadonlyArray<{ readonly shape: ReadonlyArray<number>; readonly data: ReadonlyArray<number> }>,
): void => {
  const tensors = at.map(({ shape, data }) => float(shape, data))
  const lists = at.map(({ data }) => [...data])
  expectClose(values(loss(...tensors)), reference(...lists), { relative: 1e-5, absolute: 1e-5 })
  const expected = finiteDifference(reference, lists)
  gradient(loss, tensors).forEach((g, i) => {
    expectClose(g, expected[i]!, { relative: 1e-4, absolute: 1e-5 })
  })
}

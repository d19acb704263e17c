import {
  expectClose,
  expectGradient,
  expectThat,
  float,
  grid,
  type Law,
  law,
  real,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { uniformKlReference } from "./reference/dvae.js"

/** Logits n k to the KL from the uniform distribution, n. */
export type UniformKlOf = (logits: tf.Tensor) => tf.Tensor

/** Some of them with one or two logits that are far from the others. */
const examples = fc.tuple(size(1, 3), size(2, 6)).chain(([n, k]) =>
  fc.record({
    shape: fc.constant([n, k] as const),
    logits: grid([n, k], fc.oneof({ weight: 5, arbitrary: real(8) }, fc.constantFrom(-1e4, 1e4))),
  }),
)

/**
 * What the KL from the uniform distribution obeys.
 * @source Ramesh et al. 2021, section 2.1
 */
export const uniformKlLaws = (kl: UniformKlOf): ReadonlyArray<Law> => {
  const at = (shape: ReadonlyArray<number>, logits: ReadonlyArray<number>) => values(kl(float(shape, logits)))
  return [
    law("it lies between 0 and ln k, at logits of ±10⁴ too", examples, ({ shape, logits }) => {
      for (const each of at(shape, logits)) {
        expectThat(each >= -1e-5 && each <= Math.log(shape[1]) + 1e-5, () => `${each} of ${shape[1]} codes`)
      }
    }),
    law("equal logits give 0", fc.tuple(size(1, 9), real(8)), ([k, c]) => {
      expectClose(
        at(
          [1, k],
          Array.from({ length: k }, () => c),
        ),
        0,
        { absolute: 1e-6 },
      )
    }),
    law("a single great logit gives ln k", size(2, 9), (k) => {
      expectClose(
        at(
          [1, k],
          Array.from({ length: k }, (_, i) => (i === 1 ? 1e4 : 0)),
        ),
        Math.log(k),
      )
    }),
    law("logits that differ give more than 0", fc.tuple(size(2, 9), real(8)), ([k, c]) => {
      const logits = Array.from({ length: k }, (_, i) => (i === 0 ? c + 0.5 : c))
      const [value = 0] = at([1, k], logits)
      expectThat(value > 1e-3, () => `${value}`)
    }),
    law("a constant added to a row changes nothing", fc.tuple(examples, real(20)), ([{ shape, logits }, c]) => {
      expectClose(
        at(
          shape,
          logits.map((l) => l + c),
        ),
        at(shape, logits),
        { absolute: 1e-4 },
      )
    }),
    law("the order of the codes is irrelevant", examples, ({ shape, logits }) => {
      const turned = rows(logits, shape[1]).flatMap((row) => row.toReversed())
      expectClose(at(shape, turned), at(shape, logits))
    }),
    law(
      "it has the value and the gradient of the float64 reference",
      fc.tuple(size(1, 3), size(2, 6)).chain(([n, k]) => fc.tuple(fc.constant([n, k] as const), grid([n, k]))),
      ([shape, logits]) => {
        expectGradient(
          (x) => tf.sum(kl(x!)) as tf.Scalar,
          (x) => rows(x!, shape[1]).reduce((sum, row) => sum + uniformKlReference(row), 0),
          [{ shape, data: logits }],
        )
      },
    ),
  ]
}

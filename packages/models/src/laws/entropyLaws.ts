import { expectClose, expectThat, float, grid, type Law, law, real, size, values } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** The entropy of the distribution at each position, from logits [b t v]. */
export type Entropy = (logits: tf.Tensor) => tf.Tensor

const examples = fc
  .tuple(size(1, 2), size(1, 3), size(2, 4))
  .chain(([b, t, v]) => fc.record({ shape: fc.constant([b, t, v] as const), p: grid([b, t, v]) }))

/** What an entropy obeys. */
export const entropyLaws = (entropy: Entropy): ReadonlyArray<Law> => [
  law("it lies between 0 and ln v", examples, ({ shape, p }) => {
    for (const each of values(entropy(float(shape, p)))) {
      expectThat(each >= -1e-6 && each <= Math.log(shape[2]) + 1e-5, () => `${each}`)
    }
  }),
  law("equal logits give ln v", size(1, 6), (v) => {
    expectClose(entropy(tf.fill([1, 1, v], 3)), Math.log(v))
  }),
  law("adding a constant to the logits changes nothing", fc.tuple(examples, real(20)), ([{ shape, p }, c]) => {
    expectClose(
      entropy(
        float(
          shape,
          p.map((x) => x + c),
        ),
      ),
      entropy(float(shape, p)),
    )
  }),
  law("one token that has all the mass gives 0, without overflow", size(2, 6), (v) => {
    const certain = Array.from({ length: v }, (_, i) => (i === 0 ? 1e4 : 0))
    expectClose(entropy(float([1, 1, v], certain)), 0)
  }),
]

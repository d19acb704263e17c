import { keyFromSeed, random } from "@millrace/core"
import {
  expectClose,
  expectGradient,
  expectSame,
  expectThat,
  float,
  grid,
  type Law,
  law,
  logSoftmax,
  real,
  rows,
  size,
  strict,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { gumbelSoftmaxReference } from "./reference/dvae.js"

/** Logits n k, noise n k and a temperature to relaxed one-hot rows, n k. */
export type RelaxOf = (logits: tf.Tensor, noise: tf.Tensor, temperature: number) => tf.Tensor

const examples = fc.tuple(size(1, 3), size(2, 6)).chain(([n, k]) =>
  fc.record({
    shape: fc.constant([n, k] as const),
    logits: grid([n, k]),
    noise: grid([n, k]),
    temperature: fc.constantFrom(1 / 16, 0.25, 1, 3),
  }),
)
type Example = typeof examples extends fc.Arbitrary<infer T> ? T : never

/** Rows whose sums of logit and noise are at least 1/8 apart. */
const apart = size(2, 6).chain((k) =>
  fc.record({
    shape: fc.constant([1, k] as const),
    sums: strict(k).map((order) => order.map((n) => n / 8)),
    noise: grid([k]),
  }),
)

const best = (row: ReadonlyArray<number>): number => row.indexOf(Math.max(...row))

/**
 * What the relaxation of a categorical draw obeys.
 * @source Jang et al. 2017, equation 2; Maddison et al. 2017
 */
export const gumbelSoftmaxLaws = (relax: RelaxOf): ReadonlyArray<Law> => {
  const at = ({ shape, logits, noise, temperature }: Example) =>
    values(relax(float(shape, logits), float(shape, noise), temperature))
  return [
    law("every row lies on the simplex", examples, (e) => {
      for (const row of rows(at(e), e.shape[1])) {
        expectThat(Math.min(...row) >= 0, () => `${Math.min(...row)} is negative`)
        expectClose(
          row.reduce((a, b) => a + b, 0),
          1,
        )
      }
    }),
    law("a constant added to the logits changes nothing", fc.tuple(examples, real(20)), ([e, c]) => {
      expectClose(at({ ...e, logits: e.logits.map((l) => l + c) }), at(e), { absolute: 1e-4 })
    }),
    law("the largest entry is where logit + noise is largest, at any temperature", apart, ({ shape, sums, noise }) => {
      const logits = sums.map((s, i) => s - noise[i]!)
      for (const temperature of [1 / 16, 0.5, 1, 4]) {
        expectSame(best(at({ shape, logits, noise, temperature })), best(sums))
      }
    }),
    law("it is one-hot near temperature 0", apart, ({ shape, sums, noise }) => {
      const relaxed = at({ shape, logits: sums.map((s, i) => s - noise[i]!), noise, temperature: 1 / 512 })
      expectClose(
        relaxed,
        sums.map((_, i) => (i === best(sums) ? 1 : 0)),
      )
    }),
    law("it is uniform at a great temperature", examples, (e) => {
      expectClose(
        at({ ...e, temperature: 1e6 }),
        e.logits.map(() => 1 / e.shape[1]),
      )
    }),
    law(
      "the place of the largest entry is distributed as softmax(logits)",
      fc.tuple(fc.nat(2 ** 30), grid([4], real(2))),
      ([seed, logits]) => {
        const n = 2000
        const noise = random.gumbel(keyFromSeed(seed), [n, 4])
        const all = Array.from({ length: n }, () => logits).flat()
        const counts = [0, 0, 0, 0]
        const relaxed = relax(float([n, 4], all), float([n, 4], [...noise.data]), 0.5)
        for (const row of rows(values(relaxed), 4)) counts[best(row)]!++
        const chi = logSoftmax(logits).reduce((sum, logP, i) => {
          const expected = n * Math.exp(logP)
          return sum + (counts[i]! - expected) ** 2 / expected
        }, 0)
        // Beyond 40 with a probability of 1e-8 at 3 degrees of freedom.
        expectThat(chi < 40, () => `χ² of ${chi}: ${counts.join(", ")}`)
      },
    ),
    law("it has the value and the gradient of the float64 reference: no straight-through", examples, (e) => {
      const weight = (i: number): number => Math.cos(1 + 2 * i)
      const noise = float(e.shape, e.noise)
      const weights = float(
        e.shape,
        e.noise.map((_, i) => weight(i)),
      )
      const temperature = Math.max(e.temperature, 0.25)
      expectClose(
        at({ ...e, temperature }),
        rows(e.logits, e.shape[1]).flatMap((row, i) =>
          gumbelSoftmaxReference(row, rows(e.noise, e.shape[1])[i]!, temperature),
        ),
      )
      expectGradient(
        (x) => tf.sum(tf.mul(relax(x!, noise, temperature), weights)) as tf.Scalar,
        (x) =>
          rows(x!, e.shape[1])
            .flatMap((row, i) => gumbelSoftmaxReference(row, rows(e.noise, e.shape[1])[i]!, temperature))
            .reduce((sum, p, i) => sum + p * weight(i), 0),
        [{ shape: e.shape, data: e.logits }],
      )
    }),
  ]
}

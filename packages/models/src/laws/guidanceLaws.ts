import { expectClose, expectSame, float, grid, type Law, law, real, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { convertPrediction } from "../diffusion/parametrisation.js"
import { noisyExamples, noisyOf, rowsOf, timesOf } from "./diffusionExamples.js"

/** Predictions with and without a condition, a scale, and how many channels are no variance. */
export type GuideOf = (conditional: tf.Tensor, unconditional: tf.Tensor, scale: number, channels: number) => tf.Tensor

const pairs = fc.tuple(size(1, 3), size(1, 3)).chain(([b, c]) =>
  fc.record({
    b: fc.constant(b),
    c: fc.constant(c),
    one: grid([b, 2 * c]),
    two: grid([b, 2 * c]),
    s: real(8),
    r: real(8),
  }),
)

/** What classifier-free guidance obeys. */
export const guideLaws = (guide: GuideOf): ReadonlyArray<Law> => {
  const firsts = (flat: ReadonlyArray<number>, c: number) => flat.filter((_, i) => i % (2 * c) < c)
  const rest = (flat: ReadonlyArray<number>, c: number) => flat.filter((_, i) => i % (2 * c) >= c)
  const at = ({ b, c, one, two }: { b: number; c: number; one: Array<number>; two: Array<number> }, s: number) =>
    values(guide(float([b, 2 * c], one), float([b, 2 * c], two), s, c))
  return [
    law("a scale of 1 is the conditional prediction", pairs, (e) => {
      expectClose(firsts(at(e, 1), e.c), firsts(e.one, e.c))
    }),
    law("a scale of 0 is the unconditional prediction", pairs, (e) => {
      expectClose(firsts(at(e, 0), e.c), firsts(e.two, e.c))
    }),
    law("it is affine in the scale", pairs, (e) => {
      const [s, r] = [at(e, e.s), at(e, e.r)]
      expectClose(
        at(e, (e.s + e.r) / 2),
        s.map((x, i) => (x + r[i]!) / 2),
      )
    }),
    law("where both predictions agree the scale does not matter", pairs, (e) => {
      expectClose(firsts(at({ ...e, two: e.one }, e.s), e.c), firsts(e.one, e.c))
    }),
    law("the variance's channels stay the conditional ones", pairs, (e) => {
      expectSame(rest(at(e, e.s), e.c), rest(e.one, e.c))
    }),
    law("an output without variance is guided as a whole", pairs, (e) => {
      const [one, two] = [float([e.b, 2 * e.c], e.one), float([e.b, 2 * e.c], e.two)]
      const wanted = e.one.map((x, i) => e.two[i]! + e.s * (x - e.two[i]!))
      expectClose(guide(one, two, e.s, 2 * e.c), wanted)
    }),
    law(
      "guided noise is the guided start and the guided velocity",
      fc.tuple(noisyExamples([0.05, 0.95]), real(3), fc.constantFrom("start" as const, "velocity" as const)),
      ([e, s, to]) => {
        const convert = (x: tf.Tensor) =>
          convertPrediction(e.schedule, { from: "noise", to }, x, rowsOf(e, noisyOf(e)), timesOf(e))
        const [one, two] = [rowsOf(e, e.other), rowsOf(e, e.noise)]
        const after = guide(convert(one), convert(two), s, e.d)
        expectClose(convert(guide(one, two, s, e.d)), after, { relative: 1e-3, absolute: 1e-4 })
      },
    ),
  ]
}

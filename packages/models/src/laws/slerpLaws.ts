import { expectClose, float, grid, type Law, law, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** Rows b d, rows b d and a share, or one for each row, to rows on the arc between them. */
export type SlerpOf = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor | number) => tf.Tensor

const norm = (x: ReadonlyArray<number>): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))
const unit = (x: ReadonlyArray<number>): Array<number> => x.map((v) => v / norm(x))
const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
const share = size(0, 64).map((n) => n / 64)
const direction = (d: number) => grid([d]).filter((x) => norm(x) > 0.5)
/** Unit vectors that are not opposite. */
const pairs = size(2, 5).chain((d) =>
  fc.record({ a: direction(d).map(unit), b: direction(d).map(unit), t: share }).filter(({ a, b }) => dot(a, b) > -0.98),
)

/** What spherical interpolation obeys. */
export const slerpLaws = (slerp: SlerpOf): ReadonlyArray<Law> => {
  const at = (a: ReadonlyArray<number>, b: ReadonlyArray<number>, t: number): ReadonlyArray<number> =>
    values(slerp(float([1, a.length], a), float([1, b.length], b), t))
  return [
    law("a share of 0 is the first vector, of 1 the second", pairs, ({ a, b }) => {
      expectClose(at(a, b, 0), a)
      expectClose(at(a, b, 1), b)
    }),
    law("between unit vectors all are unit vectors", pairs, ({ a, b, t }) => {
      expectClose(norm(at(a, b, t)), 1)
    }),
    law("the way back is the way", pairs, ({ a, b, t }) => {
      expectClose(at(b, a, 1 - t), at(a, b, t))
    }),
    law("the angle grows evenly", pairs, ({ a, b, t }) => {
      const angle = Math.acos(Math.min(1, dot(a, b)))
      expectClose(dot(a, at(a, b, t)), Math.cos(t * angle))
    }),
    law("a vector and itself, or nearly so, give it back", fc.tuple(pairs, size(0, 20)), ([{ a, b, t }, digits]) => {
      const near = unit(a.map((x, i) => x + 10 ** -digits * 1e-3 * b[i]!))
      expectClose(at(a, a, t), a)
      expectClose(at(a, near, t), unit(a.map((x, i) => (1 - t) * x + t * near[i]!)))
    }),
    law("each row has its own share", fc.tuple(pairs, share), ([{ a, b, t }, other]) => {
      const twice = (x: ReadonlyArray<number>) => float([2, x.length], [...x, ...x])
      expectClose(slerp(twice(a), twice(b), float([2, 1], [t, other])), [...at(a, b, t), ...at(a, b, other)])
    }),
  ]
}

import { slerp } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { expectClose, values } from "./close.js"
import { float, gradient, grid, real } from "./examples.js"
import { broken, law, verify } from "./law.js"
import { type Slerp, slerpLaws } from "./slerpLaws.js"

verify("slerp", [
  ...slerpLaws(slerp),
  law(
    "vectors keep their lengths at the ends, and stretching both stretches all",
    grid(
      [4],
      real(4).filter((v) => v >= 0),
    ),
    (x) => {
      const [a, b] = [
        float(
          [1, 4],
          x.map((v) => 3 * v + 0.1),
        ),
        float([1, 4], [1, 2, -1, 0.5]),
      ]
      expectClose(slerp(a, b, 0), a)
      const stretched = slerp(tf.mul(a, 2), tf.mul(b, 2), 0.3)
      expectClose(stretched, tf.mul(slerp(a, b, 0.3), 2), { relative: 1e-4, absolute: 1e-5 })
    },
  ),
])

test("slerp of a vector with itself has a gradient", () => {
  const a = float([1, 3], [0.6, 0.8, 0])
  for (const g of gradient((x, y) => tf.sum(slerp(x!, y!, 0.25)), [a, a])) {
    for (const x of values(g)) expect(Number.isFinite(x)).toBe(true)
  }
})

// --- broken ones

const lerp: Slerp = (a, b, t) => tf.add(tf.mul(a, tf.sub(1, t)), tf.mul(b, t))
const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.norm(x, "euclidean", -1, true))
const slerpMutants: ReadonlyArray<readonly [string, Slerp, string]> = [
  ["that goes the other way", (a, b, t) => slerp(b, a, t), "a share of 0 is the first vector, of 1 the second"],
  ["along the chord", lerp, "between unit vectors all are unit vectors"],
  ["with the share squared", (a, b, t) => slerp(a, b, tf.square(t)), "the way back is the way"],
  ["along the chord, then normalised", (a, b, t) => unit(lerp(a, b, t)), "the angle grows evenly"],
  [
    "by the arc cosine",
    (a, b, t) => {
      const angle = tf.acos(tf.sum(tf.mul(a, b), -1, true))
      const part = (of: tf.Tensor | number) => tf.div(tf.sin(tf.mul(angle, of)), tf.sin(angle))
      return tf.add(tf.mul(a, part(tf.sub(1, t))), tf.mul(b, part(t)))
    },
    "a vector and itself, or nearly so, give it back",
  ],
  [
    "by the first row's share",
    (a, b, t) => slerp(a, b, typeof t === "number" ? t : values(t)[0]!),
    "each row has its own share",
  ],
]
test.each(slerpMutants)("an interpolation %s breaks a law", (_, broke, name) => {
  expect(broken(slerpLaws(broke))).toContain(name)
})

test("every law of interpolation refuses one of them", () => {
  expect(new Set(slerpMutants.map(([, , name]) => name))).toEqual(new Set(slerpLaws(slerp).map(({ name }) => name)))
})

import { normal } from "@millrace/core"
import { doubled, halved, residual, residualParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { broken, verify } from "./law.js"
import { type ResidualUnit, residualLaws } from "./residualLaws.js"

const real: ResidualUnit = { params: residualParams, apply: residual }

verify("residual", residualLaws(real))

// A set of laws is worth what it refuses.
const mutants: ReadonlyArray<[string, ResidualUnit, string]> = [
  [
    "whose second convolution begins as noise",
    {
      ...real,
      params: (...sizes) => {
        const specs = residualParams(...sizes)
        return { ...specs, conv2: { ...specs.conv2, weight: { ...specs.conv2.weight, init: normal(0.1) } } }
      },
    },
    "before training it is its skip",
  ],
  [
    "that resizes nothing",
    { ...real, apply: (p, x, time, { groups, modulation }) => residual(p, x, time, { groups, modulation }) },
    "it has half or double the sides where it resizes, and its outputs in channels",
  ],
  [
    "that adds the mean of its input",
    {
      ...real,
      apply: (p, x, time, options) => {
        const y = residual(p, x, time, options)
        return tf.add(y, tf.mul(0.1, tf.mean(x)))
      },
    },
    "scaling and shifting a group of its input never changes what it adds to its skip",
  ],
  [
    "that forgets the 1 of 1 + scale",
    {
      ...real,
      apply: (p, x, time, options) => {
        if (options.modulation === "add") return residual(p, x, time, options)
        const c = p.time.bias.size / 2
        const less = tf.concat([tf.fill([c], -1), tf.zeros([c])])
        return residual({ ...p, time: { ...p.time, bias: tf.add(p.time.bias, less) } }, x, time, options)
      },
    },
    "an embedding of which nothing is taken leaves both modulations the same",
  ],
  [
    "that takes the mean of all times",
    {
      ...real,
      apply: (p, x, time, options) => residual(p, x, tf.add(tf.zerosLike(time), tf.mean(time, 0, true)), options),
    },
    "the result of an image depends on no other image and no other time",
  ],
  [
    "that moves the image by a column where it does not resize",
    {
      ...real,
      apply: (p, x, time, options) => {
        if (options.resizing !== undefined) return residual(p, x, time, options)
        const [b = 0, y = 0, width = 0, c = 0] = x.shape
        const moved = tf.concat(
          [tf.slice(x, [0, 0, 1, 0], [b, y, width - 1, c]), tf.slice(x, [0, 0, 0, 0], [b, y, 1, c])],
          2,
        )
        return residual(p, tf.add(tf.mul(x, 0.5), tf.mul(moved, 0.5)), time, options)
      },
    },
    "before training it is its skip",
  ],
  [
    "that mixes columns unevenly",
    {
      ...real,
      apply: (p, x, time, options) => {
        const y = residual(p, x, time, options)
        const columns = tf.reshape(tf.range(0, y.shape[2] ?? 1), [1, 1, -1, 1])
        return tf.add(y, tf.mul(tf.sub(y, residual(p, tf.zerosLike(x), time, options)), tf.mul(0.1, columns)))
      },
    },
    "its image's mirror image gives the mirror image, where its kernels are their own",
  ],
]

test.each(mutants)("a residual block %s breaks a law", (_, unit, name) => {
  expect(broken(residualLaws(unit))).toContain(name)
})

test("every law refuses one of them", () => {
  const refused = new Set(mutants.flatMap(([, unit]) => broken(residualLaws(unit))))
  expect(
    residualLaws(real)
      .map(({ name }) => name)
      .filter((name) => !refused.has(name)),
  ).toEqual([])
})

test("halving what was doubled gives it back", () => {
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2])
  expect([...halved(doubled(x)).dataSync()]).toEqual([...x.dataSync()])
  expect(doubled(x).shape).toEqual([1, 4, 4, 2])
})

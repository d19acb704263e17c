import { normal } from "@millrace/core"
import { residual, residualParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type ResidualUnit, residualLaws } from "../residualLaws.js"
import { mutantSet } from "./mutantSet.js"

export const real: ResidualUnit = { params: residualParams, apply: residual }

export const residualMutants = mutantSet<ResidualUnit>({
  subject: "residual block",
  laws: residualLaws,
  real: real,
  runs: 8,
  mutants: {
    "whose second convolution begins as noise": {
      ...real,
      params: (...sizes) => {
        const specs = residualParams(...sizes)
        return { ...specs, conv2: { ...specs.conv2, weight: { ...specs.conv2.weight, init: normal(0.1) } } }
      },
    },
    "that resizes nothing": {
      ...real,
      apply: (p, x, time, { groups, modulation }) => residual(p, x, time, { groups, modulation }),
    },
    "that adds the mean of its input": {
      ...real,
      apply: (p, x, time, options) => {
        const y = residual(p, x, time, options)
        return tf.add(y, tf.mul(0.1, tf.mean(x)))
      },
    },
    "that forgets the 1 of 1 + scale": {
      ...real,
      apply: (p, x, time, options) => {
        if (options.modulation === "add") return residual(p, x, time, options)
        const c = p.time.bias.size / 2
        const less = tf.concat([tf.fill([c], -1), tf.zeros([c])])
        return residual({ ...p, time: { ...p.time, bias: tf.add(p.time.bias, less) } }, x, time, options)
      },
    },
    "that takes the mean of all times": {
      ...real,
      apply: (p, x, time, options) => residual(p, x, tf.add(tf.zerosLike(time), tf.mean(time, 0, true)), options),
    },
    "that moves the image by a column where it does not resize": {
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
    "that mixes columns unevenly": {
      ...real,
      apply: (p, x, time, options) => {
        const y = residual(p, x, time, options)
        const columns = tf.reshape(tf.range(0, y.shape[2] ?? 1), [1, 1, -1, 1])
        return tf.add(y, tf.mul(tf.sub(y, residual(p, tf.zerosLike(x), time, options)), tf.mul(0.1, columns)))
      },
    },
  },
})

import { learningRate, ShapeMismatch } from "@millrace/core"
import {
  cosineRamp,
  dvaeLoss,
  dvaeSchedules,
  gumbelSoftmax,
  logitLaplace,
  mapPixels,
  uniformKl,
  unmapPixels,
} from "@millrace/models"
import {
  cosineRampLaws,
  dvaeLossLaws,
  gumbelSoftmaxLaws,
  logitLaplaceLaws,
  pixelLaws,
  uniformKlLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { expectClose } from "./close.js"
import { verify } from "./law.js"

verify("logitLaplace", logitLaplaceLaws(logitLaplace))
verify("uniformKl", uniformKlLaws(uniformKl))
verify("gumbelSoftmax", gumbelSoftmaxLaws(gumbelSoftmax))
verify("mapPixels and unmapPixels", pixelLaws({ map: mapPixels, unmap: unmapPixels }))
verify("cosineRamp", cosineRampLaws(cosineRamp))
verify("dvaeLoss", dvaeLossLaws(dvaeLoss))

describe("the paper's schedules", () => {
  test("begin and end as in appendix A.2", () => {
    const ends = Object.values(dvaeSchedules).map((ramp) => [cosineRamp(ramp, 0), cosineRamp(ramp, ramp.updates)])
    expect(ends).toEqual([
      [1, 1 / 16],
      [0, 6.6],
      [1e-4, 1.25e-6],
    ])
    expect(Object.values(dvaeSchedules).map(({ updates }) => updates)).toEqual([150_000, 5000, 1_200_000])
  })

  test("the learning rate is the training step's cosine schedule", () => {
    const { from, to, updates } = dvaeSchedules.learningRate
    const schedule = { kind: "cosine", peak: from, warmup: 0, floor: to / from } as const
    for (const update of [0, 1000, 600_000, 1_200_000, 3_000_000]) {
      const rate = learningRate(schedule, tf.scalar(update), updates + 1).dataSync()[0]!
      expect(rate / cosineRamp(dvaeSchedules.learningRate, update)).toBeCloseTo(1, 4)
    }
  })
})

test("of 256 × 256 pixels as 32 × 32 codes, β times a code's KL counts a 192nd a pixel's channel", () => {
  const [image, stats] = [tf.fill([1, 256, 256, 3], 0.5), tf.zeros([1, 256, 256, 3])]
  const certain = tf.tile(tf.tensor3d([[[1e4, 0]]]), [1, 1024, 1])
  const loss = (logits: tf.Tensor) => dvaeLoss({ image, mean: stats, logWidth: stats, logits }, 6.6).loss.dataSync()[0]!
  expectClose(loss(certain) - loss(tf.zeros([1, 1024, 2])), (6.6 * Math.log(2)) / 192, { absolute: 1e-5 })
})

test("an image of another size than its distributions is refused", () => {
  const stats = tf.zeros([1, 2, 2, 3])
  const batch = { image: tf.zeros([1, 2, 3, 3]), mean: stats, logWidth: stats, logits: tf.zeros([1, 1, 4]) }
  expect(() => dvaeLoss(batch, 1)).toThrow(ShapeMismatch)
})

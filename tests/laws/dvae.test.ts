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
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { expectClose } from "./close.js"
import { cosineRampLaws, type Ramp } from "./cosineRampLaws.js"
import { dvaeLossLaws, type EvidenceBound } from "./dvaeLossLaws.js"
import { gumbelSoftmaxLaws, type Relax } from "./gumbelSoftmaxLaws.js"
import { verify } from "./law.js"
import { logitLaplaceLaws, type Surprise } from "./logitLaplaceLaws.js"
import { type PixelMap, pixelLaws } from "./pixelLaws.js"
import { refuses } from "./refuses.js"
import { type UniformKl, uniformKlLaws } from "./uniformKlLaws.js"

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

// A set of laws is worth what it refuses.

const laplace =
  ({ half = true, slope = true, absolute = true } = {}): Surprise =>
  (x, mean, logWidth) => {
    const gap = tf.sub(tf.log(tf.div(x, tf.sub(1, x))), mean)
    const distance = absolute ? tf.abs(gap) : tf.square(gap)
    const parts = [tf.div(distance, tf.exp(logWidth)), logWidth]
    if (half) parts.push(tf.fill(x.shape, Math.LN2))
    if (slope) parts.push(tf.log(tf.mul(x, tf.sub(1, x))))
    return parts.reduce((sum, part) => tf.add(sum, part))
  }

refuses("a logit-Laplace", logitLaplaceLaws, [
  ["without ln 2", laplace({ half: false }), "the density integrates to 1"],
  ["without the slope of the logit", laplace({ slope: false }), "half of the mass lies below sigmoid(μ)"],
  [
    "with squared distances",
    laplace({ absolute: false }),
    "it has the value and the gradient of the float64 reference",
  ],
  ["of the pixel itself", (x, m, w) => laplace()(x, tf.add(m, 0.3), w), "f(x | μ, b) is f(1 − x | −μ, b)"],
  [
    "about the location 1 beside",
    (x, m, w) => laplace()(x, tf.add(m, 1), w),
    "no location surprises less than logit x",
  ],
  [
    "whose scale is twice as wide",
    (x, m, w) => laplace()(x, m, tf.add(w, Math.LN2)),
    "the scale that surprises least is the mean distance of logits from μ",
  ],
  [
    "that spreads the mean over all",
    (x, m, w) => tf.add(tf.zerosLike(x), tf.mean(laplace()(x, m, w))),
    "each number's surprise is its own: another number changes no bit of it",
  ],
])

const klWith =
  (how: (logQ: tf.Tensor, k: number) => tf.Tensor): UniformKl =>
  (logits) =>
    how(tf.logSoftmax(logits), logits.shape.at(-1)!)
const negentropy = (logQ: tf.Tensor) => tf.sum(tf.mul(tf.exp(logQ), logQ), -1)

refuses("a KL", uniformKlLaws, [
  ["without ln k", klWith(negentropy), "equal logits give 0"],
  [
    "in the other direction",
    klWith((logQ, k) => tf.sub(tf.neg(tf.mean(logQ, -1)), Math.log(k))),
    "it lies between 0 and ln k, at logits of ±10⁴ too",
  ],
  [
    "that divides by the number of codes",
    klWith((logQ, k) => tf.div(tf.add(negentropy(logQ), Math.log(k)), k)),
    "a single great logit gives ln k",
  ],
  ["that is always 0", klWith((logQ) => tf.mul(negentropy(logQ), 0)), "logits that differ give more than 0"],
  [
    "of logits taken for log-probabilities",
    (logits) => tf.add(negentropy(logits), Math.log(logits.shape.at(-1)!)),
    "a constant added to a row changes nothing",
  ],
  [
    "that weighs codes by their number",
    (logits) => uniformKl(tf.mul(logits, tf.range(1, logits.shape.at(-1)! + 1))),
    "the order of the codes is irrelevant",
  ],
  [
    "of tempered logits",
    (logits) => uniformKl(tf.div(logits, 2)),
    "it has the value and the gradient of the float64 reference",
  ],
])

const oneHot = (x: tf.Tensor): tf.Tensor => tf.cast(tf.oneHot(tf.argMax(x, -1), x.shape.at(-1)!), "float32")
const relaxations: ReadonlyArray<readonly [string, Relax, string]> = [
  [
    "of logistic units that do not share their mass",
    (l, g, t) => tf.sigmoid(tf.div(tf.add(l, g), t)),
    "every row lies on the simplex",
  ],
  [
    "that multiplies by the temperature",
    (l, g, t) => tf.softmax(tf.mul(tf.add(l, g), t)),
    "it is one-hot near temperature 0",
  ],
  [
    "that divides the logits alone",
    (l, g, t) => tf.softmax(tf.add(tf.div(l, t), g)),
    "the largest entry is where logit + noise is largest, at any temperature",
  ],
  [
    "without noise",
    (l, _, t) => tf.softmax(tf.div(l, t)),
    "the place of the largest entry is distributed as softmax(logits)",
  ],
  ["that keeps its sharpness", (l, g) => tf.softmax(tf.add(l, g)), "it is uniform at a great temperature"],
  [
    "of logits with a floor",
    (l, g, t) => gumbelSoftmax(tf.maximum(l, 0), g, t),
    "a constant added to the logits changes nothing",
  ],
  [
    "with a straight-through draw",
    (l, g, t) =>
      tf.customGrad((...args) => {
        const x = args[0] as tf.Tensor
        const soft = gumbelSoftmax(x, g, t)
        const backward = (dy: tf.Tensor) => tf.div(tf.mul(soft, tf.sub(dy, tf.sum(tf.mul(dy, soft), -1, true))), t)
        return { value: oneHot(soft), gradFunc: backward }
      })(l),
    "it has the value and the gradient of the float64 reference: no straight-through",
  ],
]
refuses("a relaxation", gumbelSoftmaxLaws, relaxations)

const pixels: PixelMap = { map: mapPixels, unmap: unmapPixels }
refuses("a pixel map", pixelLaws, [
  ["with half the margin", { ...pixels, map: (x) => tf.add(tf.mul(x, 0.9), 0.05) }, "0 becomes 0.1 and 1 becomes 0.9"],
  ["that does not centre", { ...pixels, map: (x) => tf.mul(x, 0.9) }, "φ(1 − x) is 1 − φ(x)"],
  ["that clips", { ...pixels, map: (x) => tf.clipByValue(x, 0.1, 0.9) }, "differences shrink to 0.8 of themselves"],
  ["that is undone by a shift", { ...pixels, unmap: (x) => tf.sub(x, 0.1) }, "undoing it gives the pixels back"],
  [
    "that is undone without a bound",
    { ...pixels, unmap: (x) => tf.div(tf.sub(x, 0.1), 0.8) },
    "undoing what no pixel became gives a pixel",
  ],
])

/** The state of a schedule that is lowered again by every update that is asked of it. */
const compounding = (): Ramp => {
  let lowered = 0
  return ({ from, to, updates }, update) => {
    if (update <= 0) return from
    if (update >= updates) return to
    lowered += 1
    return from + (to - from) * (1 - Math.exp(-lowered * (update / updates)))
  }
}
refuses("a ramp", cosineRampLaws, [
  [
    "along a line",
    ({ from, to, updates }, u) => from + (to - from) * Math.min(1, Math.max(0, u / updates)),
    "it starts and arrives slowly: a tenth of the way takes it a fortieth",
  ],
  [
    "that goes on past its end",
    ({ from, to, updates }, u) => from + ((to - from) * (1 - Math.cos((Math.PI * u) / updates))) / 2,
    "it begins and ends exactly at its ends, and stays there",
  ],
  [
    "of a whole cosine",
    ({ from, to, updates }, u) => from + ((to - from) * (1 - Math.cos((2 * Math.PI * u) / updates))) / 2,
    "it never turns back",
  ],
  [
    "of a quarter of a cosine",
    ({ from, to, updates }, u) => from + (to - from) * (1 - Math.cos((Math.PI * Math.min(u, updates)) / updates / 2)),
    "what lies before the middle mirrors what lies after it",
  ],
  ["that compounds", compounding(), "its value at an update does not depend on the updates asked for before"],
])

const boundWith =
  (change: (batch: Parameters<EvidenceBound>[0], beta: number) => tf.Tensor): EvidenceBound =>
  (batch, beta) => ({ ...dvaeLoss(batch, beta), loss: change(batch, beta) as tf.Scalar })
const numbers = ({ image }: Parameters<EvidenceBound>[0]): number => image.size / image.shape[0]!
const { sub, mean: meanOf } = tf

refuses("an evidence bound", dvaeLossLaws, [
  [
    "of squared errors",
    boundWith(({ image, mean }) => meanOf(tf.square(sub(image, tf.sigmoid(mean))))),
    "it has the value and the gradient of the float64 reference",
  ],
  [
    "of pixels that were not mapped",
    boundWith((batch, beta) => {
      const inside = tf.clipByValue(batch.image, 1e-3, 1 - 1e-3)
      const { kl } = dvaeLoss(batch, beta)
      return tf.add(meanOf(logitLaplace(inside, batch.mean, batch.logWidth)), tf.div(tf.mul(kl, beta), numbers(batch)))
    }),
    "it is the reconstruction and β times the KL of an image over its numbers",
  ],
  [
    "whose KL is a mean over places",
    (batch, beta) => {
      const { reconstruction } = dvaeLoss(batch, beta)
      const kl = meanOf(uniformKl(batch.logits)) as tf.Scalar
      return { loss: tf.add(reconstruction, tf.mul(kl, beta / numbers(batch))), reconstruction, kl }
    },
    "codes that are certain cost s ln k, codes that are not nothing",
  ],
  [
    "whose KL is summed over the batch",
    (batch, beta) => {
      const { reconstruction } = dvaeLoss(batch, beta)
      const kl = tf.sum(uniformKl(batch.logits)) as tf.Scalar
      return { loss: tf.add(reconstruction, tf.mul(kl, beta / numbers(batch))), reconstruction, kl }
    },
    "a batch twice over costs what it costs once",
  ],
  [
    "whose KL is negative",
    (batch, beta) => ({ ...dvaeLoss(batch, beta), kl: tf.neg(dvaeLoss(batch, beta).kl) }),
    "the KL of an image lies between 0 and s ln k",
  ],
  [
    "that weighs the KL by 1 + β",
    boundWith((batch, beta) => dvaeLoss(batch, beta + 1).loss),
    "with β = 0 the logits have a gradient of exactly 0",
  ],
  [
    "that counts later places more",
    boundWith((batch, beta) => {
      const kl = uniformKl(batch.logits)
      const weighed = tf.sum(tf.mul(kl, tf.range(1, kl.shape[1]! + 1)), 1)
      return tf.add(dvaeLoss(batch, 0).loss, tf.mul(meanOf(weighed), beta / numbers(batch)))
    }),
    "the order of the images, and of an image's places, is irrelevant",
  ],
  [
    "of pixels a little off",
    (batch, beta) => dvaeLoss({ ...batch, image: tf.add(tf.mul(batch.image, 0.9), 0.1) }, beta),
    "an image and its negative, with locations of the other sign, cost the same",
  ],
])

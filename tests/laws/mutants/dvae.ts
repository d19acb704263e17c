import { cosineRamp, dvaeLoss, gumbelSoftmax, logitLaplace, mapPixels, uniformKl, unmapPixels } from "@millrace/models"
import {
  cosineRampLaws,
  dvaeLossLaws,
  type EvidenceBoundOf,
  gumbelSoftmaxLaws,
  logitLaplaceLaws,
  type PixelMapOf,
  pixelLaws,
  type RampOf,
  type RelaxOf,
  type SurpriseOf,
  type UniformKlOf,
  uniformKlLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const laplace =
  ({ half = true, slope = true, absolute = true } = {}): SurpriseOf =>
  (x, mean, logWidth) => {
    const gap = tf.sub(tf.log(tf.div(x, tf.sub(1, x))), mean)
    const distance = absolute ? tf.abs(gap) : tf.square(gap)
    const parts = [tf.div(distance, tf.exp(logWidth)), logWidth]
    if (half) parts.push(tf.fill(x.shape, Math.LN2))
    if (slope) parts.push(tf.log(tf.mul(x, tf.sub(1, x))))
    return parts.reduce((sum, part) => tf.add(sum, part))
  }

const klWith =
  (how: (logQ: tf.Tensor, k: number) => tf.Tensor): UniformKlOf =>
  (logits) =>
    how(tf.logSoftmax(logits), logits.shape.at(-1)!)

const negentropy = (logQ: tf.Tensor) => tf.sum(tf.mul(tf.exp(logQ), logQ), -1)
const oneHot = (x: tf.Tensor): tf.Tensor => tf.cast(tf.oneHot(tf.argMax(x, -1), x.shape.at(-1)!), "float32")
const pixels: PixelMapOf = { map: mapPixels, unmap: unmapPixels }

/** The state of a schedule that is lowered again by every update that is asked of it. */
const compounding = (): RampOf => {
  let lowered = 0
  return ({ from, to, updates }, update) => {
    if (update <= 0) return from
    if (update >= updates) return to
    lowered += 1
    return from + (to - from) * (1 - Math.exp(-lowered * (update / updates)))
  }
}

const boundWith =
  (change: (batch: Parameters<EvidenceBoundOf>[0], beta: number) => tf.Tensor): EvidenceBoundOf =>
  (batch, beta) => ({ ...dvaeLoss(batch, beta), loss: change(batch, beta) as tf.Scalar })

const numbers = ({ image }: Parameters<EvidenceBoundOf>[0]): number => image.size / image.shape[0]!
const { sub, mean: meanOf } = tf

export const logitLaplaceMutants = mutantSet<SurpriseOf>({
  subject: "logit-Laplace",
  laws: logitLaplaceLaws,
  real: logitLaplace,
  mutants: {
    "without ln 2": laplace({ half: false }),
    "without the slope of the logit": laplace({ slope: false }),
    "with squared distances": laplace({ absolute: false }),
    "of the pixel itself": (x, m, w) => laplace()(x, tf.add(m, 0.3), w),
    "about the location 1 beside": (x, m, w) => laplace()(x, tf.add(m, 1), w),
    "whose scale is twice as wide": (x, m, w) => laplace()(x, m, tf.add(w, Math.LN2)),
    "that spreads the mean over all": (x, m, w) => tf.add(tf.zerosLike(x), tf.mean(laplace()(x, m, w))),
  },
})

export const uniformKlMutants = mutantSet<UniformKlOf>({
  subject: "KL to the uniform distribution",
  laws: uniformKlLaws,
  real: uniformKl,
  mutants: {
    "without ln k": klWith(negentropy),
    "in the other direction": klWith((logQ, k) => tf.sub(tf.neg(tf.mean(logQ, -1)), Math.log(k))),
    "that divides by the number of codes": klWith((logQ, k) => tf.div(tf.add(negentropy(logQ), Math.log(k)), k)),
    "that is always 0": klWith((logQ) => tf.mul(negentropy(logQ), 0)),
    "of logits taken for log-probabilities": (logits) => tf.add(negentropy(logits), Math.log(logits.shape.at(-1)!)),
    "that weighs codes by their number": (logits) => uniformKl(tf.mul(logits, tf.range(1, logits.shape.at(-1)! + 1))),
    "of tempered logits": (logits) => uniformKl(tf.div(logits, 2)),
  },
})

export const gumbelSoftmaxMutants = mutantSet<RelaxOf>({
  subject: "Gumbel relaxation",
  laws: gumbelSoftmaxLaws,
  real: gumbelSoftmax,
  mutants: {
    "of logistic units that do not share their mass": (l, g, t) => tf.sigmoid(tf.div(tf.add(l, g), t)),
    "that multiplies by the temperature": (l, g, t) => tf.softmax(tf.mul(tf.add(l, g), t)),
    "that divides the logits alone": (l, g, t) => tf.softmax(tf.add(tf.div(l, t), g)),
    "without noise": (l, _, t) => tf.softmax(tf.div(l, t)),
    "that keeps its sharpness": (l, g) => tf.softmax(tf.add(l, g)),
    "of logits with a floor": (l, g, t) => gumbelSoftmax(tf.maximum(l, 0), g, t),
    "with a straight-through draw": (l, g, t) =>
      tf.customGrad((...args) => {
        const x = args[0] as tf.Tensor
        const soft = gumbelSoftmax(x, g, t)
        const backward = (dy: tf.Tensor) => tf.div(tf.mul(soft, tf.sub(dy, tf.sum(tf.mul(dy, soft), -1, true))), t)
        return { value: oneHot(soft), gradFunc: backward }
      })(l),
  },
})

export const pixelMutants = mutantSet<PixelMapOf>({
  subject: "pixel map",
  laws: pixelLaws,
  real: pixels,
  mutants: {
    "with half the margin": { ...pixels, map: (x) => tf.add(tf.mul(x, 0.9), 0.05) },
    "that does not centre": { ...pixels, map: (x) => tf.mul(x, 0.9) },
    "that clips": { ...pixels, map: (x) => tf.clipByValue(x, 0.1, 0.9) },
    "that is undone by a shift": { ...pixels, unmap: (x) => tf.sub(x, 0.1) },
    "that is undone without a bound": { ...pixels, unmap: (x) => tf.div(tf.sub(x, 0.1), 0.8) },
  },
})

export const cosineRampMutants = mutantSet<RampOf>({
  subject: "cosine ramp",
  laws: cosineRampLaws,
  real: cosineRamp,
  mutants: {
    "along a line": ({ from, to, updates }, u) => from + (to - from) * Math.min(1, Math.max(0, u / updates)),
    "that goes on past its end": ({ from, to, updates }, u) =>
      from + ((to - from) * (1 - Math.cos((Math.PI * u) / updates))) / 2,
    "of a whole cosine": ({ from, to, updates }, u) =>
      from + ((to - from) * (1 - Math.cos((2 * Math.PI * u) / updates))) / 2,
    "of a quarter of a cosine": ({ from, to, updates }, u) =>
      from + (to - from) * (1 - Math.cos((Math.PI * Math.min(u, updates)) / updates / 2)),
    "that compounds": compounding(),
  },
})

export const dvaeLossMutants = mutantSet<EvidenceBoundOf>({
  subject: "evidence bound",
  laws: dvaeLossLaws,
  real: dvaeLoss,
  mutants: {
    "of squared errors": boundWith(({ image, mean }) => meanOf(tf.square(sub(image, tf.sigmoid(mean))))),
    "of pixels that were not mapped": boundWith((batch, beta) => {
      const inside = tf.clipByValue(batch.image, 1e-3, 1 - 1e-3)
      const { kl } = dvaeLoss(batch, beta)
      return tf.add(meanOf(logitLaplace(inside, batch.mean, batch.logWidth)), tf.div(tf.mul(kl, beta), numbers(batch)))
    }),
    "whose KL is a mean over places": (batch, beta) => {
      const { reconstruction } = dvaeLoss(batch, beta)
      const kl = meanOf(uniformKl(batch.logits)) as tf.Scalar
      return { loss: tf.add(reconstruction, tf.mul(kl, beta / numbers(batch))), reconstruction, kl }
    },
    "whose KL is summed over the batch": (batch, beta) => {
      const { reconstruction } = dvaeLoss(batch, beta)
      const kl = tf.sum(uniformKl(batch.logits)) as tf.Scalar
      return { loss: tf.add(reconstruction, tf.mul(kl, beta / numbers(batch))), reconstruction, kl }
    },
    "whose KL is negative": (batch, beta) => ({ ...dvaeLoss(batch, beta), kl: tf.neg(dvaeLoss(batch, beta).kl) }),
    "that weighs the KL by 1 + β": boundWith((batch, beta) => dvaeLoss(batch, beta + 1).loss),
    "that counts later places more": boundWith((batch, beta) => {
      const kl = uniformKl(batch.logits)
      const weighed = tf.sum(tf.mul(kl, tf.range(1, kl.shape[1]! + 1)), 1)
      return tf.add(dvaeLoss(batch, 0).loss, tf.mul(meanOf(weighed), beta / numbers(batch)))
    }),
    "of pixels a little off": (batch, beta) =>
      dvaeLoss({ ...batch, image: tf.add(tf.mul(batch.image, 0.9), 0.1) }, beta),
  },
})

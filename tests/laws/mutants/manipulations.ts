import { interpolateLatents, manipulation, slerp, textDiff, unitNorm } from "@millrace/models"
import {
  type Interpolate,
  type InterpolateAt,
  interpolationAtLaws,
  interpolationLaws,
  type TextDiff,
  type TextDiffAt,
  textDiffAtLaws,
  textDiffLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

export const textDiffMutants = mutantSet<TextDiff>({
  subject: "text diff",
  laws: textDiffLaws,
  real: textDiff,
  mutants: {
    "that turns towards the base": (image, text, base, share) => textDiff(image, base, text, share),
    "that turns towards the text alone": (image, text, _, share) => slerp(image, unitNorm(text), share),
    "that keeps the length of the difference": (image, text, base, share) => slerp(image, tf.sub(text, base), share),
    "that takes the difference of directions": (image, text, base, share) =>
      textDiff(image, unitNorm(text), unitNorm(base), share),
    "that goes straight": (image, text, base, share) => {
      const towards = unitNorm(tf.sub(text, base))
      return tf.add(image, tf.mul(tf.sub(towards, image), share))
    },
    "that goes straight, at unit norm": (image, text, base, share) => {
      const towards = unitNorm(tf.sub(text, base))
      return unitNorm(tf.add(image, tf.mul(tf.sub(towards, image), share)))
    },
    "that adds the difference": (image, text, base, share) =>
      unitNorm(tf.add(image, tf.mul(unitNorm(tf.sub(text, base)), share))),
    "that goes from the text": (image, text, base, share) => textDiff(image, text, base, tf.sub(1, share)),
    "that turns away from the image sideways": (image, text, base, share) => sideways(image, text, base, share),
  },
})

/** As far from the image as a text diff is, with what is across both put to the other side. */
const sideways = (image: tf.Tensor, text: tf.Tensor, base: tf.Tensor, share: tf.Tensor | number): tf.Tensor => {
  const made = textDiff(image, text, base, share)
  const along = tf.mul(image, tf.sum(tf.mul(made, image), -1, true))
  return tf.sub(tf.mul(along, 2), made)
}

const quarter = manipulation.textDiff({ share: 0.25 })

export const textDiffAtMutants = mutantSet<TextDiffAt>({
  subject: "text diff by a quarter",
  laws: (diff) => textDiffAtLaws(diff, 0.25),
  real: (image, text, base) => quarter.apply({}, { image, text, base }),
  mutants: {
    "by the rest of the way": (image, text, base) => textDiff(image, text, base, 0.75),
    "that turns away from the text": (image, text, base) => sideways(image, text, base, 0.25),
    "that turns towards the text alone": (image, text) => slerp(image, unitNorm(text), 0.25),
    "that takes the difference of directions": (image, text, base) =>
      textDiff(image, unitNorm(text), unitNorm(base), 0.25),
    "that keeps the length of the difference": (image, text, base) => slerp(image, tf.sub(text, base), 0.25),
    "that goes straight": (image, text, base) =>
      tf.add(tf.mul(image, 0.75), tf.mul(unitNorm(tf.sub(text, base)), 0.25)),
    "that adds a quarter of the difference": (image, text, base) =>
      unitNorm(tf.add(image, tf.mul(tf.sub(text, base), 0.25))),
  },
})

const straight = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor | number): tf.Tensor => {
  const shares =
    typeof share === "number" ? tf.scalar(share) : tf.reshape(share, [-1, ...a.shape.slice(1).map(() => 1)])
  return tf.add(a, tf.mul(tf.sub(b, a), shares))
}

export const interpolationMutants = mutantSet<Interpolate>({
  subject: "interpolation of latents",
  laws: interpolationLaws,
  real: interpolateLatents,
  mutants: {
    "that starts at the other image": (a, b, share) => interpolateLatents(b, a, share),
    "that keeps the first noise": (a, b, share) => ({ ...interpolateLatents(a, b, share), noise: a.noise }),
    "that goes straight between embeddings": (a, b, share) => ({
      ...interpolateLatents(a, b, share),
      embedding: straight(a.embedding, b.embedding, share),
    }),
    "that goes straight between embeddings, at unit norm": (a, b, share) => ({
      ...interpolateLatents(a, b, share),
      embedding: unitNorm(straight(a.embedding, b.embedding, share)),
    }),
    "that goes straight between noises": (a, b, share) => ({
      ...interpolateLatents(a, b, share),
      noise: straight(a.noise, b.noise, share),
    }),
    "that gives noise unit norm": (a, b, share) => {
      const made = interpolateLatents(a, b, share)
      return { ...made, noise: tf.reshape(unitNorm(tf.reshape(made.noise, [a.noise.shape[0]!, -1])), a.noise.shape) }
    },
    "that takes the first share for all": (a, b, share) =>
      interpolateLatents(a, b, typeof share === "number" ? share : share.dataSync()[0]!),
    "that adds noise in the middle": (a, b, share) => {
      const made = interpolateLatents(a, b, share)
      const middle = tf.mul(tf.mul(tf.scalar(4), share), tf.sub(1, share))
      return { ...made, noise: tf.add(made.noise, tf.reshape(tf.mul(middle, 0.1), [-1, 1, 1, 1])) }
    },
    "that lags on its way": (a, b, share) => interpolateLatents(a, b, tf.square(share)),
  },
})

const middle = manipulation.interpolate({ share: 0.5 })

const between: InterpolateAt = (a, b) => middle.apply({}, { ...a, otherEmbedding: b.embedding, otherNoise: b.noise })

export const interpolateAtMutants = mutantSet<InterpolateAt>({
  subject: "image in the middle of two",
  laws: (interpolate) => interpolationAtLaws(interpolate, 0.5),
  real: (a, b) => between(a, b),
  mutants: {
    "that is the first": (a) => a,
    "nearer to the second": (a, b) => interpolateLatents(a, b, 0.7),
    "that keeps the first noise": (a, b) => ({ ...between(a, b), noise: a.noise }),
    "with the noise of straight lines": (a, b) => ({ ...between(a, b), noise: straight(a.noise, b.noise, 0.5) }),
    "with noise of unit norm": (a, b) => {
      const flat = tf.reshape(between(a, b).noise, [a.noise.shape[0]!, -1])
      return { ...between(a, b), noise: tf.reshape(unitNorm(flat), a.noise.shape) }
    },
    "with each pixel's noise on its own circle": (a, b) => ({ ...between(a, b), noise: slerp(a.noise, b.noise, 0.5) }),
    "with the embedding of a straight line": (a, b) => ({
      ...between(a, b),
      embedding: straight(a.embedding, b.embedding, 0.5),
    }),
    "on the other side of the first": (a, b) => {
      const { embedding, noise } = between(a, b)
      const along = tf.mul(a.embedding, tf.sum(tf.mul(embedding, a.embedding), -1, true))
      return { embedding: tf.sub(tf.mul(along, 2), embedding), noise }
    },
  },
})

import { interpolateLatents, slerp, textDiff, unitNorm } from "@millrace/models"
import { type Interpolate, interpolationLaws, type TextDiff, textDiffLaws } from "@millrace/models/laws"
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

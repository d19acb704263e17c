import { type WhitenConfig, whiten } from "@millrace/models"
import { type Whiten, whitenLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { type MutantSet, mutantSet } from "./mutantSet.js"

const ours =
  (config: WhitenConfig): Whiten =>
  (x, mask) =>
    whiten(x, mask, config)

const setOf = (subject: string, config: WhitenConfig): MutantSet => {
  const real = ours(config)
  return mutantSet<Whiten>({
    subject,
    laws: (each) => whitenLaws(each, config),
    real,
    mutants: {
      [config.shiftMean ? "that keeps the mean" : "that shifts the mean"]: ours({
        ...config,
        shiftMean: !config.shiftMean,
      }),
      "that divides squares by another count": ours({
        ...config,
        variance: config.variance === "biased" ? "unbiased" : "biased",
      }),
      "that divides by the variance": (x, mask) => {
        const kept = tf.cast(mask, "float32")
        const count = tf.sum(kept)
        const mean = tf.div(tf.sum(tf.mul(kept, x)), count)
        const centred = tf.mul(kept, tf.sub(x, mean))
        return tf.div(centred, tf.div(tf.sum(tf.square(centred)), count))
      },
      "that has a great ε": ours({ ...config, epsilon: 1 }),
      "that ignores its mask": (x, mask) => whiten(x, tf.onesLike(mask), config),
      "that multiplies by its mask": (x, mask) => {
        const zero = tf.mul(x, tf.cast(tf.logicalNot(tf.cast(mask, "bool")), "float32"))
        return tf.add(real(x, mask), tf.mul(0, zero))
      },
      "that negates": (x, mask) => tf.neg(real(x, mask)),
      "that takes the scale of the greatest": (x, mask) => {
        const kept = tf.where(tf.cast(mask, "bool"), x, tf.zerosLike(x))
        return tf.div(kept, tf.max(tf.abs(kept)))
      },
    },
  })
}

export const whitenMutants = setOf("whitening of advantages", { shiftMean: true, variance: "biased" })
export const rescaleMutants = setOf("whitening of rewards, which keeps the mean", {
  shiftMean: false,
  variance: "unbiased",
})

import { adaptiveKl, entropy, exactKl, klEstimate } from "@millrace/models"
import {
  type AdaptiveKlOf,
  adaptiveKlLaws,
  type Entropy,
  type ExactKl,
  entropyLaws,
  type KlEstimate,
  klEstimateLaws,
  klLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

const exact: ExactKl = (p, q) => exactKl(p, q, undefined)
const gaps = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => tf.sub(tf.logSoftmax(p), tf.logSoftmax(q))

export const klMutants = mutantSet<ExactKl>({
  subject: "Kullback-Leibler divergence",
  laws: klLaws,
  real: exact,
  mutants: {
    "that is the other way round": (p, q) => exact(q, p),
    "that forgets to normalise": (p, q) => tf.sum(tf.mul(tf.softmax(p), tf.sub(p, q)), -1),
    "that is a mean in place of a sum over tokens": (p, q) => tf.mean(tf.mul(tf.softmax(p), gaps(p, q)), -1),
    "that multiplies 0 by −∞": (p, q) => tf.sum(tf.mul(tf.softmax(p), gaps(p, q)), -1),
    "that is symmetric": (p, q) => tf.div(tf.add(exact(p, q), exact(q, p)), 2),
    "that is half the squared distance": (p, q) =>
      tf.mul(0.5, tf.sum(tf.square(tf.sub(tf.softmax(p), tf.softmax(q))), -1)),
    "that is the cross-entropy": (p, q) => tf.neg(tf.sum(tf.mul(tf.softmax(p), tf.logSoftmax(q)), -1)),
  },
})

const estimate =
  (estimator: "k1" | "k2" | "k3"): KlEstimate =>
  (p, q) =>
    klEstimate(p, q, undefined, { estimator })

export const klEstimateMutants = mutantSet<KlEstimate>({
  subject: "an unbiased estimate of the KL that is never negative, k3",
  laws: (each) => klEstimateLaws(each, { unbiased: true, positive: true }),
  real: estimate("k3"),
  mutants: {
    "that is k1": estimate("k1"),
    "that is k2": estimate("k2"),
    "that has the ratio upside down": (p, q) => estimate("k3")(q, p),
    "that is twice too great": (p, q) => tf.mul(2, estimate("k3")(p, q)),
    "that adds a constant": (p, q) => tf.add(0.1, estimate("k3")(p, q)),
    "that is the absolute value of k1": (p, q) => tf.abs(estimate("k1")(p, q)),
  },
})

const ours: Entropy = (logits) => entropy(logits, undefined)

export const entropyMutants = mutantSet<Entropy>({
  subject: "entropy",
  laws: entropyLaws,
  real: ours,
  mutants: {
    "that has the wrong sign": (logits) => tf.neg(ours(logits)),
    "that counts in bits": (logits) => tf.div(ours(logits), Math.LN2),
    "that forgets to normalise": (logits) => tf.neg(tf.sum(tf.mul(tf.softmax(logits), logits), -1)),
    "that overflows": (logits) => {
      const e = tf.exp(logits)
      const p = tf.div(e, tf.sum(e, -1, true))
      return tf.neg(tf.sum(tf.mul(p, tf.log(p)), -1))
    },
    "that is a mean over tokens": (logits) => tf.div(ours(logits), logits.shape[2]!),
  },
})

export const adaptiveKlMutants = mutantSet<AdaptiveKlOf>({
  subject: "adaptive penalty",
  laws: adaptiveKlLaws,
  real: adaptiveKl,
  mutants: {
    "that turns the wrong way": (config) => (beta, kl, n) => adaptiveKl(config)(beta, 2 * config.target - kl, n),
    "that does not clip its error":
      ({ target, horizon }) =>
      (beta, kl, n) =>
        beta * (1 + ((kl / target - 1) * n) / horizon),
    "that steps at once":
      ({ target }) =>
      (beta, kl) =>
        beta * (1 + Math.min(0.2, Math.max(-0.2, kl / target - 1))),
    "that has another target": (config) => adaptiveKl({ ...config, target: 2 * config.target }),
    "that adds in place of multiplying":
      ({ target, horizon }) =>
      (beta, kl, n) =>
        beta + (Math.min(0.2, Math.max(-0.2, kl / target - 1)) * n) / horizon,
    "that counts episodes twice": (config) => (beta, kl, n) => adaptiveKl(config)(beta, kl, n * n),
  },
})

import { convertPrediction, errorWeights, logVariance, posteriorMean } from "@millrace/models"
import {
  type ConvertPrediction,
  convertLaws,
  type ErrorWeightsOf,
  errorWeightLaws,
  type LearnedVarianceOf,
  posteriorLaws,
  varianceLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

export const learned: LearnedVarianceOf = (schedule, v, time) => logVariance(schedule, "learned-range", v, time, v.rank)

const swapped: ConvertPrediction = (schedule, { from, to }, prediction, noisy, time) =>
  convertPrediction(
    { ...schedule, alphaBar: schedule.alphaBar.map((a) => 1 - a) },
    { from, to },
    prediction,
    noisy,
    time,
  )

const signed: ConvertPrediction = (schedule, way, prediction, noisy, time) => {
  const flipped = (name: string, x: tf.Tensor) => (name === "velocity" ? tf.neg(x) : x)
  return flipped(way.to, convertPrediction(schedule, way, flipped(way.from, prediction), noisy, time))
}

const clamped: ConvertPrediction = (...all) => tf.clipByValue(convertPrediction(...all), -1, 1)

const oneWay: ConvertPrediction = (schedule, way, ...rest) =>
  way.from === "start" && way.to === "noise"
    ? tf.mul(convertPrediction(schedule, way, ...rest), 1.1)
    : convertPrediction(schedule, way, ...rest)

const stretched: ConvertPrediction = (schedule, way, ...rest) =>
  way.to === "velocity" && way.from !== "velocity"
    ? tf.mul(convertPrediction(schedule, way, ...rest), 1.5)
    : convertPrediction(schedule, way, ...rest)

export const convertMutants = mutantSet<ConvertPrediction>({
  subject: "conversion of predictions",
  laws: convertLaws,
  real: convertPrediction,
  mutants: {
    "with ᾱ and 1 − ᾱ exchanged": swapped,
    "with v's sign reversed": signed,
    "that clamps": clamped,
    "that scales the noise": oneWay,
    "that scales the velocity": stretched,
  },
})

export const errorWeightMutants = mutantSet<ErrorWeightsOf>({
  subject: "weights of errors",
  laws: (weights) => errorWeightLaws(weights, convertPrediction),
  real: errorWeights,
  mutants: {
    "without the square": (...at) => errorWeights(...at).map(Math.sqrt),
    "upside down": (s, from, to) => errorWeights(s, to, from),
    "capped at 5, as min-SNR": (...at) => errorWeights(...at).map((w) => Math.min(w, 5)),
  },
})

export const posteriorMutants = mutantSet<typeof posteriorMean>({
  subject: "posterior mean",
  laws: posteriorLaws,
  real: posteriorMean,
  mutants: {
    "that takes ᾱ of the step for that of the step before": (s, ...rest) =>
      posteriorMean({ ...s, alphaBarBefore: s.alphaBar }, ...rest),
    "that adds no noise of its own": (s, start, noisy, time) =>
      tf.add(posteriorMean(s, start, noisy, time), tf.mul(0.1, tf.sub(noisy, start))),
    "with start and x_t exchanged": (s, start, noisy, time) => posteriorMean(s, noisy, start, time),
  },
})

export const varianceMutants = mutantSet<LearnedVarianceOf>({
  subject: "learned variance",
  laws: varianceLaws,
  real: learned,
  mutants: {
    "whose v is a share already": (s, v, t) => learned(s, tf.sub(tf.mul(v, 2), 1), t),
    "that interpolates the variances and not their logarithms": (s, v, t) => {
      const [low, high] = [-1, 1].map((x) => tf.exp(learned(s, tf.fill(v.shape, x), t)))
      return tf.log(tf.add(tf.mul(tf.div(tf.add(v, 1), 2), high!), tf.mul(tf.div(tf.sub(1, v), 2), low!)))
    },
  },
})

/**
 * What a network predicts of noisy data, and how one prediction becomes another.
 *
 *   noise     ε
 *   start     x₀
 *   velocity  v = √ᾱ ε − √(1 − ᾱ) x₀   (Salimans and Ho 2022)
 *
 * Given x_t = √ᾱ x₀ + √(1 − ᾱ) ε each of the three fixes the other two, by a linear map.
 */
import * as tf from "@tensorflow/tfjs-core"
import { atTime } from "./atTime.js"
import type { NoiseSchedule } from "./schedule.js"

export const parametrisations = ["noise", "start", "velocity"] as const
export type Parametrisation = (typeof parametrisations)[number]

type Factors = readonly [noisy: number, prediction: number]

/** wanted = noisy factor · x_t + prediction factor · predicted, with l = √ᾱ (what is left) and s = √(1 − ᾱ). */
const factors: Readonly<Record<Parametrisation, Record<Parametrisation, (l: number, s: number) => Factors>>> = {
  noise: {
    noise: () => [0, 1],
    start: (l, s) => [1 / l, -s / l],
    velocity: (l, s) => [-s / l, 1 / l],
  },
  start: {
    noise: (l, s) => [1 / s, -l / s],
    start: () => [0, 1],
    velocity: (l, s) => [l / s, -1 / s],
  },
  velocity: {
    noise: (l, s) => [s, l],
    start: (l, s) => [l, -s],
    velocity: () => [0, 1],
  },
}

const table = ({ alphaBar }: NoiseSchedule, from: Parametrisation, to: Parametrisation, factor: 0 | 1): Float64Array =>
  alphaBar.map((a) => factors[from][to](Math.sqrt(a), Math.sqrt(1 - a))[factor])

/**
 * A prediction as another one. Where almost nothing of the data is left (ᾱ near 0) noise says little of the start, and the
 * other way round where ᾱ is near 1: errors grow by the root of `errorWeight`.
 * @param prediction  float32  b …
 * @param noisy       float32  b …   x_t
 * @param time        int32    b     steps of the schedule
 * @returns           float32  b …
 * @law   there and back again is the identity
 * @law   x_t² + v² = x₀² + ε²
 */
export const convertPrediction = (
  schedule: NoiseSchedule,
  { from, to }: { readonly from: Parametrisation; readonly to: Parametrisation },
  prediction: tf.Tensor,
  noisy: tf.Tensor,
  time: tf.Tensor,
): tf.Tensor => {
  if (from === to) return prediction
  const ofNoisy = atTime(table(schedule, from, to, 0), time, noisy.rank) // b 1 …
  const ofPrediction = atTime(table(schedule, from, to, 1), time, noisy.rank) // b 1 …
  return tf.add(tf.mul(noisy, ofNoisy), tf.mul(prediction, ofPrediction))
}

/**
 * What the squared error of one prediction is multiplied with to be that of another, for each step:
 * (1 − ᾱ) / ᾱ from noise to start, 1 / ᾱ from noise to velocity.
 */
export const errorWeights = (schedule: NoiseSchedule, from: Parametrisation, to: Parametrisation): Float64Array =>
  table(schedule, from, to, 1).map((factor) => factor ** 2)

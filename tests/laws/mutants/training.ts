import {
  type AdamW,
  type Average,
  averagedWeights,
  float32,
  type HostTensors,
  initAverage,
  initOptimizer,
  learningRate,
  type Objective,
  slots,
  spec,
  type TrainStepConfig,
  trainStep,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type Averaging, averageLaws } from "../averageLaws.js"
import { values } from "../close.js"
import { learningRateLaws, type Rate } from "../learningRateLaws.js"
import { adamLaws, type Optimise } from "../optimiserLaws.js"
import { mutantSet } from "./mutantSet.js"

/** A single weight whose gradient is an input. */
const objective: Objective = {
  name: "one",
  paramSpecs: { w: { shape: [1, 1], init: zeros } },
  trainable: ["w"],
  apply: (params, { g }) => ({ loss: tf.sum(tf.mul(params.w!, g!)) }),
}

/** The public training step itself, op by op. */
const stepped = (
  optimizer: AdamW & { readonly rate: number },
  weight: number,
  gradients: ReadonlyArray<number>,
  average?: Average,
  averaged?: HostTensors,
) => {
  const config: TrainStepConfig = {
    inputs: { g: spec("float32", [1, 1]) },
    optimizer,
    schedule: { kind: "constant", peak: optimizer.rate, warmup: 0, floor: 1 },
    steps: gradients.length,
    clip: 1e30,
    ...(average === undefined ? {} : { average }),
  }
  const fn = trainStep(objective, config)
  const first = { w: float32([1, 1], [weight]) }
  const tensors = (of: HostTensors) => ({ w: tf.tensor(of.w!.data, [1, 1]) })
  let state: Record<string, Record<string, tf.Tensor>> = {
    [slots.params]: tensors(first),
    [slots.frozen]: {},
    [slots.optimizer]: Object.fromEntries(
      Object.entries(initOptimizer(objective)).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
    ),
    ...(average === undefined ? {} : { [slots.average]: tensors(averaged ?? initAverage(average, first)) }),
  }
  for (const g of gradients) state = { ...state, ...fn.body(state, { g: tf.tensor2d([[g]]) }).state }
  return state
}

export const optimise: Optimise = (config, weight, gradients) =>
  values(stepped(config, weight, gradients)[slots.params]!.w!)[0]!

/** The update of the public step, on weights that are given: β = 0 makes a step the rate against the sign. */
export const averaging: Averaging = (config, first, history) => {
  let state = initAverage(config, { w: float32([1, 1], [first]) })
  let before = first
  for (const w of history) {
    const still = { beta1: 0, beta2: 0, epsilon: 1e-20, weightDecay: 0, rate: Math.abs(w - before) }
    const moved = stepped(still, before, [Math.sign(before - w)], config, state)[slots.average]!.w!
    state = { w: float32([1, 1], [...values(moved)]) }
    before = w
  }
  return averagedWeights(config, state, history.length).w!.data[0]!
}

export const rate: Rate = (schedule, step, steps) => values(learningRate(schedule, tf.scalar(step), steps))[0]!

/** Adam in float64 with one thing changed. */
export const adam =
  (change: {
    readonly correct1?: boolean
    readonly correct2?: boolean
    readonly coupled?: boolean
    readonly tensorflow?: boolean
    readonly signless?: boolean
    readonly rooted?: boolean
    readonly fixed?: boolean
  }): Optimise =>
  ({ beta1: b1, beta2: b2, epsilon, weightDecay, rate: lr }, weight, gradients) => {
    let [w, m, v] = [weight, 0, 0]
    const [beta1, beta2] = change.fixed === true ? [0.9, 0.999] : [b1, b2]
    gradients.forEach((given, i) => {
      const g = change.coupled === true ? given + weightDecay * w : given
      m = beta1 * m + (1 - beta1) * g
      v = beta2 * v + (1 - beta2) * g * g
      const mHat = m / (change.correct1 === false ? 1 : 1 - beta1 ** (i + 1))
      const correction = change.correct2 === false ? 1 : 1 - beta2 ** (i + 1)
      const size =
        change.tensorflow === true
          ? (Math.sqrt(v) + epsilon) / Math.sqrt(correction)
          : (change.rooted === true ? v / correction : Math.sqrt(v / correction)) + epsilon
      const decayed = change.coupled === true ? 0 : lr * weightDecay * w
      w -= (change.signless === true ? Math.abs(lr * mHat) : lr * mHat) / size + decayed
    })
    return w
  }

export const adamMutants = mutantSet<Optimise>({
  subject: "AdamW",
  laws: adamLaws,
  real: optimise,
  runs: 10,
  mutants: {
    "that forgets the sign": adam({ signless: true }),
    "without the first moment's correction": adam({ correct1: false }),
    "without the second moment's correction": adam({ correct2: false }),
    "without the root": adam({ rooted: true }),
    "with decay in the gradient": adam({ coupled: true }),
    "with TensorFlow's ε": adam({ tensorflow: true }),
    "with β of its own": adam({ fixed: true }),
  },
})

export const learningRateMutants = mutantSet<Rate>({
  subject: "learning rate",
  laws: learningRateLaws,
  real: rate,
  mutants: {
    "that falls to 0": (s, i, n) => rate({ ...s, floor: 0 }, i, n),
    "that reaches its end a step late": (s, i, n) => rate(s, i, n + 1),
    "that warms up from 0": (s, i, n) => (i < s.warmup ? (s.peak * i) / s.warmup : rate(s, i, n)),
    "that falls while it warms up": (s, i, n) =>
      rate({ ...s, warmup: 0 }, i, n) * Math.min(1, (i + 1) / Math.max(s.warmup, 1)),
    "that falls by the square": (s, i, n) => {
      const low = s.floor * s.peak
      const share = (rate(s, i, n) - low) / (s.peak - low || 1)
      return i < s.warmup ? rate(s, i, n) : low + share * share * (s.peak - low)
    },
    "that is linear by another name": (s, i, n) => rate(s.kind === "cosine" ? { ...s, kind: "linear" } : s, i, n),
    "whose floor is a rate": (s, i, n) => Math.max(rate({ ...s, floor: 0 }, i, n), s.floor * 0.1),
  },
})

export const averageMutants = mutantSet<Averaging>({
  subject: "average of weights",
  laws: averageLaws,
  real: averaging,
  runs: 10,
  mutants: {
    "that is not corrected": (c, first, h) => averaging({ ...c, start: "weights" }, c.start === "zero" ? 0 : first, h),
    "of the sizes": (c, first, h) => averaging(c, Math.abs(first), h.map(Math.abs)),
    "that always begins as the weights": (c, first, h) => averaging({ ...c, start: "weights" }, first, h),
    "of all weights alike": (_, __, h) => h.reduce((a, b) => a + b, 0) / h.length,
  },
})

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
import { expect, test } from "vitest"
import { type Averaging, averageLaws } from "./averageLaws.js"
import { values } from "./close.js"
import { broken, verify } from "./law.js"
import { learningRateLaws, type Rate } from "./learningRateLaws.js"
import { adamLaws, type Optimise } from "./optimiserLaws.js"

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

const optimise: Optimise = (config, weight, gradients) =>
  values(stepped(config, weight, gradients)[slots.params]!.w!)[0]!

/** The update of the public step, on weights that are given: β = 0 makes a step the rate against the sign. */
const averaging: Averaging = (config, first, history) => {
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

const rate: Rate = (schedule, step, steps) => values(learningRate(schedule, tf.scalar(step), steps))[0]!

verify("trainStep, AdamW", adamLaws(optimise))
verify("learningRate", learningRateLaws(rate))
verify("averagedWeights", averageLaws(averaging))

// --- broken ones

/** Adam in float64 with one thing changed. */
const adam =
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
test("the Adam that the broken ones vary breaks no law", () => {
  expect(broken(adamLaws(adam({})))).toEqual([])
})
const adamMutants: ReadonlyArray<readonly [string, Optimise, string]> = [
  ["that forgets the sign", adam({ signless: true }), "the first step is the rate against the gradient's sign"],
  [
    "without the first moment's correction",
    adam({ correct1: false }),
    "a gradient that stays moves a weight by the rate in every step",
  ],
  [
    "without the second moment's correction",
    adam({ correct2: false }),
    "the first step is the rate against the gradient's sign",
  ],
  ["without the root", adam({ rooted: true }), "the scale of the gradients does not matter"],
  [
    "with decay in the gradient",
    adam({ coupled: true }),
    "decay is decoupled: it takes rate · decay of a weight, whatever the gradient",
  ],
  [
    "with TensorFlow's ε",
    adam({ tensorflow: true }),
    "ε stands beside the corrected root: a first step is rate · g / (|g| + ε)",
  ],
  ["with β of its own", adam({ fixed: true }), "β₁ = 0 and β₂ = 0 leave nothing but the last gradient's sign"],
]
test.each(adamMutants)("an optimiser %s breaks a law", (_, broke, name) => {
  expect(broken(adamLaws(broke))).toContain(name)
})

const rateMutants: ReadonlyArray<readonly [string, Rate, string]> = [
  ["that falls to 0", (s, i, n) => rate({ ...s, floor: 0 }, i, n), "the last rate is the floor's share of the peak"],
  [
    "that reaches its end a step late",
    (s, i, n) => rate(s, i, n + 1),
    "the last rate is the floor's share of the peak",
  ],
  [
    "that warms up from 0",
    (s, i, n) => (i < s.warmup ? (s.peak * i) / s.warmup : rate(s, i, n)),
    "warm-up rises in equal parts from the first step on, to the peak",
  ],
  [
    "that falls while it warms up",
    (s, i, n) => rate({ ...s, warmup: 0 }, i, n) * Math.min(1, (i + 1) / Math.max(s.warmup, 1)),
    "what follows the warm-up begins at the peak, without a jump",
  ],
  [
    "that falls by the square",
    (s, i, n) => {
      const low = s.floor * s.peak
      const share = (rate(s, i, n) - low) / (s.peak - low || 1)
      return i < s.warmup ? rate(s, i, n) : low + share * share * (s.peak - low)
    },
    "halfway down it is halfway between the peak and the floor",
  ],
  [
    "that is linear by another name",
    (s, i, n) => rate(s.kind === "cosine" ? { ...s, kind: "linear" } : s, i, n),
    "cosine leaves and reaches its ends level, linear falls by equal parts",
  ],
  [
    "whose floor is a rate",
    (s, i, n) => Math.max(rate({ ...s, floor: 0 }, i, n), s.floor * 0.1),
    "it is proportional to the peak",
  ],
]
test.each(rateMutants)("a schedule of rates %s breaks a law", (_, broke, name) => {
  expect(broken(learningRateLaws(broke))).toContain(name)
})

const averageMutants: ReadonlyArray<readonly [string, Averaging, string]> = [
  [
    "that is not corrected",
    (c, first, h) => averaging({ ...c, start: "weights" }, c.start === "zero" ? 0 : first, h),
    "weights that never change are their own average",
  ],
  [
    "that is not corrected",
    (c, first, h) => averaging({ ...c, start: "weights" }, c.start === "zero" ? 0 : first, h),
    "it lies within what it averages",
  ],
  ["of the sizes", (c, first, h) => averaging(c, Math.abs(first), h.map(Math.abs)), "it is linear in the weights"],
  [
    "that always begins as the weights",
    (c, first, h) => averaging({ ...c, start: "weights" }, first, h),
    "begun as zero and corrected it knows nothing of the first weights",
  ],
  [
    "of all weights alike",
    (_, __, h) => h.reduce((a, b) => a + b, 0) / h.length,
    "a weight counts decay times as much for every step that has passed",
  ],
]
test.each(averageMutants)("an average %s breaks a law", (_, broke, name) => {
  expect(broken(averageLaws(broke))).toContain(name)
})

test("every law of training refuses one of them", () => {
  const named = (mutants: ReadonlyArray<readonly [string, unknown, string]>) =>
    new Set(mutants.map(([, , name]) => name))
  const all = (laws: ReadonlyArray<{ readonly name: string }>) => new Set(laws.map(({ name }) => name))
  expect(named(adamMutants)).toEqual(all(adamLaws(optimise)))
  expect(named(rateMutants)).toEqual(all(learningRateLaws(rate)))
  expect(named(averageMutants)).toEqual(all(averageLaws(averaging)))
})

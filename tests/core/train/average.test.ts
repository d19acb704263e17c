/** The average of weights, in the step that trains them. */
import {
  Average,
  adamW,
  averagedWeights,
  Engine,
  float32,
  type HostTensors,
  initAverage,
  initOptimizer,
  type Objective,
  slots,
  spec,
  type TrainStepConfig,
  trainStep,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Exit, Schema } from "effect"
import { describe, expect, test } from "vitest"
import { distance, runner } from "./training.js"

// The loss is Σ w·g, so its gradient is g. Odd sizes, and one number alone.
const shapes = { wide: [17, 31], bias: [31], one: [1] } as const
const names = Object.keys(shapes) as ReadonlyArray<keyof typeof shapes>
const objective: Objective = {
  name: "linear",
  paramSpecs: Object.fromEntries(names.map((name) => [name, { shape: shapes[name], init: zeros }])),
  trainable: names,
  apply: (params, inputs) => ({ loss: tf.addN(names.map((name) => tf.sum(tf.mul(params[name]!, inputs[name]!)))) }),
}
const plain: TrainStepConfig = {
  inputs: Object.fromEntries(names.map((name) => [name, spec("float32", shapes[name])])),
  optimizer: { ...adamW, weightDecay: 0.1 },
  schedule: { kind: "constant", peak: 0.05, warmup: 0, floor: 1 },
  steps: 10,
  clip: 1e30,
}
const values = (step: number): HostTensors =>
  Object.fromEntries(
    names.map((name, k) => [
      name,
      float32(
        shapes[name],
        Float32Array.from({ length: shapes[name].reduce((n: number, d: number) => n * d, 1) }, (_, i) =>
          Math.sin(12.9898 * (i + 1) + 4.1 * k + 2.37 * step),
        ),
      ),
    ]),
  )

/** Weights after each step, and the average after the last. */
const trained = (average: Average | undefined, batches: ReadonlyArray<HostTensors>) =>
  Effect.gen(function* () {
    const { compile, allocate } = yield* Engine
    const { run } = yield* compile(trainStep(objective, average === undefined ? plain : { ...plain, average }))
    const params = yield* allocate(values(-1))
    const kept = average === undefined ? undefined : yield* allocate(initAverage(average, values(-1)))
    const state = {
      [slots.params]: params,
      [slots.frozen]: yield* allocate({}),
      [slots.optimizer]: yield* allocate(initOptimizer(objective)),
      ...(kept === undefined ? {} : { [slots.average]: kept }),
    }
    const weights: Array<HostTensors> = []
    for (const inputs of batches) {
      yield* run({ state, inputs })
      weights.push(yield* params.read())
    }
    return { weights, average: kept === undefined ? undefined : yield* kept.read() }
  })

const batches = Array.from({ length: 7 }, (_, step) => values(step))

describe.each(["onnx", "tfjs:cpu"])("on %s", (engine) => {
  const on = runner(engine)

  test.each<[string, Average]>([
    ["begun as the weights", { decay: 0.9, start: "weights" }],
    ["begun as zero", { decay: 0.9, start: "zero" }],
    ["updated every third step", { decay: 0.9, start: "weights", every: 3 }],
    ["updated every second step, begun as zero", { decay: 0.8, start: "zero", every: 2 }],
  ])("an average %s is the float64 average of the weights after each step", async (_, average) => {
    const { weights, average: state } = await on(trained(average, batches))
    const read = averagedWeights(average, state!, batches.length)
    for (const name of names) {
      const wanted = Float64Array.from(values(-1)[name]!.data, (x) => (average.start === "weights" ? x : 0))
      let updates = 0
      weights.forEach((now, step) => {
        if ((step + 1) % (average.every ?? 1) !== 0) return
        updates++
        wanted.forEach((x, i) => {
          wanted[i] = average.decay * x + (1 - average.decay) * now[name]!.data[i]!
        })
      })
      const whole = average.start === "zero" ? 1 - average.decay ** updates : 1
      expect(
        distance(
          read[name]!.data,
          wanted.map((x) => x / whole),
        ),
        name,
      ).toBeLessThanOrEqual(1e-6)
    }
  })

  test("an average changes no bit of the training", async () => {
    const [alone, beside] = await Promise.all([
      on(trained(undefined, batches)),
      on(trained({ decay: 0.99, start: "weights" }, batches)),
    ])
    expect(beside.weights).toEqual(alone.weights)
  })

  test("a step that is refused leaves the average as it was", async () => {
    const poison = { ...values(3), bias: float32([31], new Float32Array(31).fill(Number.NaN)) }
    const average: Average = { decay: 0.5, start: "weights" }
    const [clean, refused] = await Promise.all([
      on(trained(average, batches.slice(0, 2))),
      on(trained(average, [batches[0]!, poison, batches[1]!])),
    ])
    expect(refused.average).toEqual(clean.average)
  })
})

test("before the first update an average that began as zero is the state itself, and not 0 / 0", () => {
  const state = { w: float32([2], [0, 0]) }
  expect(averagedWeights({ decay: 0.9, start: "zero", every: 5 }, state, 4)).toEqual(state)
})

test.each([
  { decay: 1, start: "zero" },
  { decay: -0.1, start: "zero" },
  { decay: 0.9, start: "zero", every: 0 },
  { decay: 0.9, start: "ones" },
])("a setting that makes no sense is refused: %j", (value) => {
  expect(Exit.isFailure(Schema.decodeUnknownExit(Average as Schema.Codec<unknown>)(value))).toBe(true)
})

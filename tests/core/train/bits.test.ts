/** AdamW over many steps, which the engine does by itself: repeatable to the bit, and the float64 loop's within rounding. */
import {
  adamW,
  Engine,
  float32,
  type HostTensors,
  initOptimizer,
  type Objective,
  slots,
  spec,
  type TrainStepConfig,
  trainStep,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { on } from "../engine/on.js"
import { referenceAdamW, referenceNorm, referenceRate } from "./reference.js"
import { distance } from "./training.js"

// Odd sizes, and one that several threads share. The gradient is an input, as in laws.test.ts.
const shapes = { wide: [65, 131], odd: [7, 3], bias: [131], one: [1] } as const
const names = Object.keys(shapes) as ReadonlyArray<keyof typeof shapes>
const objective: Objective = {
  name: "linear",
  paramSpecs: Object.fromEntries(names.map((name) => [name, { shape: shapes[name], init: zeros }])),
  trainable: names,
  apply: (params, inputs) => ({ loss: tf.addN(names.map((name) => tf.sum(tf.mul(params[name]!, inputs[name]!)))) }),
}
const steps = 300
const config: TrainStepConfig = {
  inputs: Object.fromEntries(names.map((name) => [name, spec("float32", shapes[name])])),
  optimizer: { ...adamW, weightDecay: 0.1 },
  schedule: { kind: "cosine", peak: 1e-2, warmup: 20, floor: 0.1 },
  steps,
  clip: 50,
}

const values = (step: number, scale: number): HostTensors =>
  Object.fromEntries(
    names.map((name, k) => [
      name,
      float32(
        shapes[name],
        Float32Array.from(
          { length: shapes[name].reduce((n: number, d: number) => n * d, 1) },
          (_, i) => scale * Math.sin(12.9898 * (i + 1) + 4.1 * k + 0.37 * step),
        ),
      ),
    ]),
  )
const start = values(-1, 1)
/** Clipped in some steps and not in others; they come again after 21 steps, with other moments. */
const gradients = Array.from({ length: 21 }, (_, step) => values(step, 0.1 + (step % 7) / 8))
const gradientsAt = (step: number): HostTensors => gradients[step % gradients.length]!

const trained = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const { run } = yield* compile(trainStep(objective, config))
  const params = yield* allocate(start)
  const optimizer = yield* allocate(initOptimizer(objective))
  const state = { [slots.params]: params, [slots.frozen]: yield* allocate({}), [slots.optimizer]: optimizer }
  for (let i = 0; i < steps; i++) yield* run({ state, inputs: gradientsAt(i) })
  return { ...(yield* params.read()), ...(yield* optimizer.read()) }
})

const bytes = ({ buffer, byteOffset, byteLength }: HostTensors[string]["data"]): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

test("300 steps of AdamW give the same bits in two runs and with one thread and two, and float64's numbers within 5e-5", async () => {
  const left = await on("onnx", trained, 2)
  for (const threads of [2, 1]) {
    const again = await on("onnx", trained, threads)
    for (const [name, { data }] of Object.entries(left)) {
      expect(bytes(again[name]!.data).equals(bytes(data)), name).toBe(true)
    }
  }

  const references = names.map((name) => referenceAdamW(config.optimizer, start[name]!.data, shapes[name].length >= 2))
  let clipped = 0
  for (let i = 0; i < steps; i++) {
    const given = names.map((name) => gradientsAt(i)[name]!.data)
    const scale = Math.min(1, config.clip / referenceNorm(given))
    if (scale < 1) clipped++
    references.forEach((reference, k) => {
      reference.step(
        Float64Array.from(given[k]!, (g) => g * scale),
        referenceRate(config.schedule, i, steps),
      )
    })
  }
  expect(clipped).toBeGreaterThan(20)
  expect(clipped).toBeLessThan(280)
  references.forEach(({ param, first, second }, k) => {
    const name = names[k]!
    expect(distance(left[name]!.data, param), name).toBeLessThanOrEqual(5e-5)
    expect(distance(left[`first.${name}`]!.data, first), name).toBeLessThanOrEqual(5e-5)
    expect(distance(left[`second.${name}`]!.data, second), name).toBeLessThanOrEqual(5e-5)
    expect(distance(left[name]!.data, start[name]!.data), name).toBeGreaterThan(1e-2)
  })
  expect(left.step!.data[0]).toBe(steps)
})

import {
  adamW,
  Engine,
  float32,
  type HostTensors,
  initOptimizer,
  initParams,
  int32,
  keyFromSeed,
  random,
  slots,
  split,
} from "@millrace/core"
import type { ClipConfig } from "@millrace/models"
import { clipTrainingOf, type FitConfig, makeTrainer, partedStep } from "@millrace/pipelines"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { stageRunner } from "./onStage.js"

const on = stageRunner()
const config: ClipConfig = {
  joint: 8,
  image: { kind: "vit", size: 8, patch: 4, width: 16, layers: 2, heads: 2 },
  text: { vocab: 20, context: 5, width: 16, layers: 1, heads: 2 },
}
const batch = 24
const fit: FitConfig = {
  steps: 10,
  schedule: { kind: "constant", peak: 1e-3, warmup: 0, floor: 1 },
  optimizer: { ...adamW, epsilon: 1e-4 },
  clip: 1,
  average: { decay: 0.5, start: "weights" },
}

const given = (seed: number): HostTensors => {
  const key = keyFromSeed(seed)
  const tokens = random.integers(split(key, "tokens"), [batch, 5], 0, 19).data
  for (let i = 0; i < batch; i++) tokens[i * 5 + 4] = 19
  return { pixels: random.normal(split(key, "pixels"), [batch, 8, 8, 3]), tokens: int32([batch, 5], tokens) }
}
const initial = initParams(clipTrainingOf(config, batch, fit).objective.paramSpecs, keyFromSeed(3))

/** Losses, norms, and the weights and averages after some steps. */
const trained = (part: number | undefined, batches: ReadonlyArray<HostTensors>) =>
  Effect.gen(function* () {
    const trainer = yield* makeTrainer({ ...clipTrainingOf(config, batch, fit, part), initial })
    const values: Array<Readonly<Record<string, number>> | string> = []
    for (const each of batches) {
      values.push(yield* Effect.match(trainer.step(each), { onFailure: ({ _tag }) => _tag, onSuccess: (all) => all }))
    }
    return { values, params: yield* trainer.params.read(), average: yield* trainer.weights }
  })

const far = (a: HostTensors, b: HostTensors): number => {
  let [difference, size] = [0, 0]
  for (const [name, { data }] of Object.entries(a)) {
    for (const [i, value] of data.entries()) {
      difference += (value - b[name]!.data[i]!) ** 2
      size += value ** 2
    }
  }
  return Math.sqrt(difference / size)
}

test("training in parts of any size is training on whole batches: losses, norms, weights and their average", async () => {
  const batches = [given(1), given(2), given(3)]
  const { result: whole } = await on(trained(undefined, batches))
  for (const part of [4, 12, 24]) {
    const { result: parts } = await on(trained(part, batches))
    for (const [i, values] of whole.values.entries()) {
      expect(Object.keys(parts.values[i]!).sort()).toEqual(Object.keys(values).sort())
      for (const [name, value] of Object.entries(values)) {
        const other = (parts.values[i] as Readonly<Record<string, number>>)[name]!
        expect(Math.abs(other - value)).toBeLessThan(1e-4 * Math.abs(value))
      }
    }
    expect(far(whole.params, parts.params)).toBeLessThan(1e-5)
    expect(far(whole.average, parts.average)).toBeLessThan(1e-5)
  }
})

test("parts give the whole batch's gradients within 1e-4, of every parameter by itself", async () => {
  const gradients = (part: number) =>
    Effect.gen(function* () {
      const { allocate } = yield* Engine
      const training = clipTrainingOf(config, batch, fit, part)
      const { objective, inputs, parts } = training
      const state = {
        [slots.params]: yield* allocate(initial),
        [slots.frozen]: yield* allocate({}),
        [slots.optimizer]: yield* allocate(initOptimizer(objective)),
        [slots.average]: yield* allocate(initial),
      }
      const step = yield* partedStep(parts!, inputs, fit, state)
      yield* step.run(given(7)) // What a step before it left must not be in them.
      yield* state[slots.params]!.write(initial)
      yield* step.run(given(8))
      return yield* step.gradients.read()
    })
  const { result: whole } = await on(gradients(batch))
  const { result: parts } = await on(gradients(3))
  expect(Object.keys(parts).sort()).toEqual(Object.keys(initial).sort())
  for (const [name, tensor] of Object.entries(whole)) {
    if (name.endsWith("qkv.bias")) continue // A bias of keys moves no softmax: its gradient is rounding alone.
    expect(far({ [name]: tensor }, { [name]: parts[name]! })).toBeLessThan(1e-4)
  }
})

test("parts refuse a bad step and go on from the weights before it, as a whole step does", async () => {
  const bad = { ...given(2), pixels: float32([batch, 8, 8, 3], new Float32Array(batch * 192).fill(Number.NaN)) }
  const { result: mended } = await on(trained(6, [given(1), bad, given(3)]))
  const { result: clean } = await on(trained(6, [given(1), given(3)]))
  expect(mended.values[1]).toBe("NotFinite")
  expect(mended.params).toEqual(clean.params)
})

test("a part that does not divide the batch is BadConfig that names both", async () => {
  const { result } = await on(Effect.flip(trained(7, [])))
  expect(result).toMatchObject({
    _tag: "BadConfig",
    expected: expect.stringContaining("24"),
    received: "7 examples",
  })
})

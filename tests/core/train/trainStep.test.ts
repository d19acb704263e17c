import {
  adamW,
  captureSync,
  defineTensorNode,
  Engine,
  float32,
  frozenNames,
  graph,
  type HostTensors,
  initParams,
  int32,
  keyFromSeed,
  objectiveOf,
  programHash,
  random,
  slots,
  spec,
  split,
  type TrainStepConfig,
  tensor,
  trainStep,
} from "@millrace/core"
import { type GptConfig, gpt, kl } from "@millrace/models"
import { languageModelling, makeTrainer } from "@millrace/pipelines"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { expect, test } from "vitest"
import { referenceAdamW, referenceNorm, referenceRate } from "./reference.js"
import { distance, runner, stepper, type Trained } from "./training.js"

// Axes: b batch, t position.
const model: GptConfig = { vocab: 13, context: 6, width: 32, layers: 2, heads: 2 }
const [b, t] = [3, 6]
const objective = objectiveOf(languageModelling(model))
const config = {
  inputs: { tokens: spec("int32", [b, t]) },
  // The gradient of a key's bias is 0 in theory. Where it is rounding alone, no engine agrees with another on its sign;
  // an epsilon far above it keeps Adam from making a step of it.
  optimizer: { ...adamW, weightDecay: 0.1, epsilon: 1e-6 },
  schedule: { kind: "cosine", peak: 1e-2, warmup: 2, floor: 0.1 },
  steps: 4,
  clip: 0.5,
} as const satisfies TrainStepConfig
const initial = initParams(objective.paramSpecs, keyFromSeed(3))
const batches: ReadonlyArray<HostTensors> = [0, 1, 2].map((step) => ({
  tokens: int32([b, t], random.integers(split(keyFromSeed(4), step), [b, t], 0, model.vocab).data),
}))

const onnx = runner("onnx")
const cpu = runner("tfjs:cpu")
const threeSteps = Effect.flatMap(stepper(objective, config), (run) => run(initial, batches))

/** Loss and unclipped gradients of the objective at given parameters, by tf.valueAndGrads alone. */
const gradientsAt = (params: HostTensors, inputs: HostTensors) =>
  cpu(
    Effect.gen(function* () {
      const engine = yield* Engine
      const names = Object.keys(objective.paramSpecs)
      const state = yield* engine.allocate(params)
      const program = yield* engine.compile({
        name: "gradients",
        state: { params: state.specs },
        inputs: config.inputs,
        body: ({ params }, given) => {
          const lossOf = (...values: ReadonlyArray<tf.Tensor>) =>
            objective.apply(Object.fromEntries(names.map((name, i) => [name, values[i]!])), given).loss as tf.Scalar
          const { grads } = tf.valueAndGrads(lossOf)(names.map((name) => params![name]!))
          return { outputs: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) }
        },
      })
      return yield* program.run({ state: { params: state }, inputs })
    }),
  )

test("three captured steps of a GPT on onnxruntime equal those on tfjs within 1e-4, parameters and moments alike", async () => {
  const [got, wanted] = [await onnx(threeSteps), await cpu(threeSteps)]
  for (const [i, step] of wanted.entries()) {
    expect(step.outputs.gradientNorm!.data[0]).toBeGreaterThan(config.clip) // clipping is at work
    for (const part of ["params", "optimizer"] as const) {
      for (const [name, { data }] of Object.entries(step[part])) {
        expect(distance(got[i]![part][name]!.data, data), `${name} after step ${i + 1}`).toBeLessThanOrEqual(1e-4)
      }
    }
    for (const name of ["loss", "gradientNorm", "learningRate"]) {
      expect(distance(got[i]!.outputs[name]!.data, step.outputs[name]!.data), name).toBeLessThanOrEqual(1e-4)
    }
    expect([got[i]!.outputs.finite!.data[0], step.outputs.finite!.data[0]]).toEqual([1, 1])
  }
  // The comparison would be empty if nothing moved.
  for (const name of objective.trainable) {
    expect(distance(wanted[2]!.params[name]!.data, initial[name]!.data), name).toBeGreaterThan(1e-4)
  }
})

test("given the gradients, three steps equal clipped AdamW in float64 loops within 5e-5, bias and decay included", async () => {
  const left = await onnx(threeSteps)
  const references = Object.fromEntries(
    objective.trainable.map((name) => [
      name,
      referenceAdamW(config.optimizer, initial[name]!.data, objective.paramSpecs[name]!.shape.length >= 2),
    ]),
  )
  let before: Pick<Trained, "params"> = { params: initial }
  for (const [i, inputs] of batches.entries()) {
    const gradients = await gradientsAt(before.params, inputs)
    const norm = referenceNorm(Object.values(gradients).map(({ data }) => data))
    const scale = Math.min(1, config.clip / norm)
    const rate = referenceRate(config.schedule, i, config.steps)
    expect(left[i]!.outputs.gradientNorm!.data[0]).toBeCloseTo(norm, 4)
    expect(left[i]!.outputs.learningRate!.data[0]).toBeCloseTo(rate, 7)
    for (const [name, reference] of Object.entries(references)) {
      reference.step(
        Float64Array.from(gradients[name]!.data, (g) => g * scale),
        rate,
      )
      const { params, optimizer } = left[i]!
      expect(distance(params[name]!.data, reference.param), name).toBeLessThanOrEqual(5e-5)
      expect(distance(optimizer[`first.${name}`]!.data, reference.first), name).toBeLessThanOrEqual(5e-5)
      expect(distance(optimizer[`second.${name}`]!.data, reference.second), name).toBeLessThanOrEqual(5e-5)
    }
    before = left[i]!
  }
  expect(left[2]!.optimizer.step!.data[0]).toBe(3)
})

test("capturing a step twice gives one program, and another clip limit gives another", () => {
  const hash = (clip: number) => programHash(captureSync(trainStep(objective, { ...config, clip })))
  expect(hash(0.5)).toBe(hash(0.5))
  expect(hash(0.25)).not.toBe(hash(0.5))
})

const mean = defineTensorNode({
  type: "test.mean",
  version: 1,
  config: Schema.Struct({}),
  ports: () => ({ in: { x: tensor("float32", "b t", "nat") }, out: tensor("float32", "", "nat") }),
  apply: (_, _params, { x }) => tf.mean(x),
})

/** A policy that learns to be like its reference. */
const distillation = (frozen: { readonly policy: boolean; readonly reference: boolean }) =>
  objectiveOf(
    graph("distillation", { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") })
      .node("policy", gpt.logits(model), { tokens: "tokens" }, { frozen: frozen.policy })
      .node("reference", gpt.logits(model), { tokens: "tokens" }, { frozen: frozen.reference })
      .node("kl", kl.exact({}), { logits: "policy", reference: "reference", mask: "mask" })
      .node("loss", mean({}), { x: "kl" })
      .output({ loss: "loss" }),
  )
const masked = {
  ...config,
  inputs: { ...config.inputs, mask: spec("float32", [b, t]) },
  schedule: { ...config.schedule, peak: 1e-3 },
}

test("frozen parameters are no state that the program writes, and stay bit for bit while the others learn", async () => {
  const distilled = distillation({ policy: false, reference: true })
  const all = Object.keys(distilled.paramSpecs)
  expect(frozenNames(distilled)).toEqual(all.filter((name) => name.startsWith("reference.")))
  const written = captureSync(trainStep(distilled, masked)).outputs.filter(({ slot }) => slot !== null)
  expect(new Set(written.map(({ slot }) => slot))).toEqual(new Set([slots.params, slots.optimizer]))
  expect(written.filter(({ name }) => name.includes("reference"))).toEqual([])
  expect(written.filter(({ slot }) => slot === slots.params).map(({ name }) => name)).toEqual(
    all.filter((name) => name.startsWith("policy.")),
  )

  const start = initParams(distilled.paramSpecs, keyFromSeed(5))
  const ones = float32([b, t], new Float32Array(b * t).fill(1))
  const left = await onnx(
    Effect.flatMap(stepper(distilled, masked), (run) =>
      run(
        start,
        batches.map(() => ({ ...batches[0]!, mask: ones })),
      ),
    ),
  )
  for (const [name, { data }] of Object.entries(left[2]!.frozen)) expect(data).toEqual(start[name]!.data)
  expect(left[2]!.params["policy.token"]!.data).not.toEqual(start["policy.token"]!.data)
  expect(left[2]!.outputs.loss!.data[0]!).toBeLessThan(left[0]!.outputs.loss!.data[0]!)
})

test("an objective in which everything is frozen is BadConfig that says what to thaw, in trainStep and in makeTrainer", async () => {
  const frozen = distillation({ policy: true, reference: true })
  expect(() => trainStep(frozen, masked)).toThrow(
    /BadConfig in distillation\n.*at least one parameter.*\n.*\n.*unfrozen/,
  )
  const { optimizer, schedule, steps, clip, inputs } = masked
  const initial = initParams(frozen.paramSpecs, keyFromSeed(1))
  const options = { objective: frozen, inputs, initial, config: { optimizer, schedule, steps, clip } }
  const error = await onnx(Effect.flip(makeTrainer(options)))
  expect(error).toMatchObject({ _tag: "BadConfig", where: "distillation" })
})

test("a trainer that is given too few parameters is BadConfig that names one, and runs nothing", async () => {
  const { optimizer, schedule, steps, clip, inputs } = config
  const { "policy.token": _, ...most } = initial
  const error = await onnx(
    Effect.flip(makeTrainer({ objective, inputs, initial: most, config: { optimizer, schedule, steps, clip } })),
  )
  expect(error).toMatchObject({ _tag: "BadConfig", expected: expect.stringContaining("policy.token") })
})

test("an objective without a scalar loss is told when it is compiled, by the name of the objective", async () => {
  const lossless = { ...objective, apply: () => ({ nothing: tf.scalar(0) }) }
  const error = await onnx(Effect.flip(stepper(lossless, config)))
  expect(error).toMatchObject({ received: expect.stringContaining("no such output") })
  expect(error.message).toContain("scalar output named loss")
})

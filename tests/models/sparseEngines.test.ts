import {
  adamW,
  Engine,
  float32,
  forward,
  graph,
  type HostTensors,
  initParams,
  int32,
  keyFromSeed,
  objectiveOf,
  random,
  spec,
  split,
  type TrainStepConfig,
  tensor,
} from "@millrace/core"
import { type SparseConfig, sparse } from "@millrace/models"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { distance, runner, stepper } from "../core/train/training.js"

const config: SparseConfig = {
  textVocab: 11,
  imageVocab: 7,
  text: 5,
  rows: 4,
  columns: 3,
  width: 8,
  layers: 3,
  heads: 2,
  kernel: 3,
}
const [b, t, s] = [2, 5, 12]

/** Text and codes -> the loss, as a pipeline would wire it. */
const objective = objectiveOf(
  graph("text to image", {
    tokens: tensor("int32", "b t", "token"),
    mask: tensor("float32", "b t", "mask"),
    codes: tensor("int32", "b s", "code"),
  })
    .node("model", sparse.logits(config), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node("cost", sparse.loss({ pads: "ignored" }), {
      text: "model.text",
      image: "model.image",
      tokens: "tokens",
      mask: "mask",
      codes: "codes",
    })
    .output({ loss: "cost.loss", textLoss: "cost.textLoss", imageLoss: "cost.imageLoss" }),
)
const training = {
  inputs: { tokens: spec("int32", [b, t]), mask: spec("float32", [b, t]), codes: spec("int32", [b, s]) },
  // Far above rounding, so that Adam makes no step of a gradient that is 0 in theory.
  optimizer: { ...adamW, epsilon: 1e-6 },
  schedule: { kind: "constant", peak: 1e-2, warmup: 0, floor: 1 },
  steps: 100,
  clip: 1,
} as const satisfies TrainStepConfig
const initial = initParams(objective.paramSpecs, keyFromSeed(1))
const batchOf = (seed: number, lengths: ReadonlyArray<number>): HostTensors => {
  const draw = (n: number, below: number) =>
    random.integers(split(keyFromSeed(seed), n), [b, n === 0 ? t : s], 0, below).data
  const mask = lengths.flatMap((length) => Array.from({ length: t }, (_, i) => (i < length ? 1 : 0)))
  return {
    tokens: int32([b, t], draw(0, config.textVocab)),
    mask: float32([b, t], mask),
    codes: int32([b, s], draw(1, config.imageVocab)),
  }
}

const runners = { onnx: runner("onnx"), "tfjs:cpu": runner("tfjs:cpu") }
const train = (engine: keyof typeof runners, batches: ReadonlyArray<HostTensors>) =>
  runners[engine](Effect.flatMap(stepper(objective, training), (run) => run(initial, batches)))

describe("on onnx", () => {
  const logits = objectiveOf(
    graph("logits", {
      tokens: tensor("int32", "b t", "token"),
      mask: tensor("float32", "b t", "mask"),
      codes: tensor("int32", "b s", "code"),
    })
      .node("model", sparse.logits(config), { tokens: "tokens", mask: "mask", codes: "codes" })
      .output({ text: "model.text", image: "model.image" }),
  )

  test("a later token never changes an earlier logit, bit for bit", () =>
    runners.onnx(
      Effect.gen(function* () {
        const engine = yield* Engine
        const executable = yield* engine.compile(forward(logits, training.inputs))
        const params = yield* engine.allocate(initial)
        const batch = batchOf(6, [5, 5])
        const before = yield* executable.run({ state: { params }, inputs: batch })
        /** Logits of the first row of the batch, those of one position after the other. */
        const first = (of: HostTensors, name: "text" | "image", count: number): ReadonlyArray<number> => {
          const { shape, data } = of[name]!
          return [...data.subarray(0, count * shape[2]!)]
        }
        for (let at = 0; at < t + s; at++) {
          const [name, place, vocab] =
            at < t ? (["tokens", at, config.textVocab] as const) : (["codes", at - t, config.imageVocab] as const)
          const { shape, data } = batch[name]!
          const ids = Int32Array.from(data, (id, i) => (i === place ? (id + 1) % vocab : id))
          const after = yield* executable.run({ state: { params }, inputs: { ...batch, [name]: int32(shape, ids) } })
          const [text, image] = [Math.min(at, t), Math.max(0, at - t + 1)]
          expect(first(after, "text", text)).toEqual(first(before, "text", text))
          expect(first(after, "image", image)).toEqual(first(before, "image", image))
          if (at < t + s - 1) expect(after.image).not.toEqual(before.image)
        }
      }),
    ))
})

describe("training a sparse transformer", () => {
  test("takes the same steps on onnx as on tfjs:cpu", async () => {
    const batches = [batchOf(2, [5, 2]), batchOf(3, [1, 3])]
    const [onnx, cpu] = [await train("onnx", batches), await train("tfjs:cpu", batches)]
    for (const [step, { outputs, params }] of cpu.entries()) {
      for (const [name, { data }] of Object.entries({ ...outputs, ...params })) {
        const got = { ...onnx[step]!.outputs, ...onnx[step]!.params }[name]!
        expect(distance(got.data, data), `${name} after step ${step}`).toBeLessThanOrEqual(1e-4)
      }
    }
  })

  test("starts near the loss of uniform logits and learns a batch by heart", async () => {
    const batch = batchOf(4, [5, 4])
    const steps = await train(
      "onnx",
      Array.from({ length: 100 }, () => batch),
    )
    const lossAt = (step: number): number => steps[step]!.outputs.loss!.data[0]!
    const uniform = Math.log(config.textVocab + config.text) / 8 + (7 / 8) * Math.log(config.imageVocab)
    expect(Math.abs(lossAt(0) - uniform)).toBeLessThan(0.01)
    expect(lossAt(99)).toBeLessThan(0.1)
  })

  test("changes no bit when it is done again", async () => {
    const batches = [batchOf(5, [3, 3])]
    expect(await train("onnx", batches)).toEqual(await train("onnx", batches))
  })
})

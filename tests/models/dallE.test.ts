import {
  adamW,
  Engine,
  float32,
  forward,
  frozenNames,
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
import {
  bestOf,
  compileImageSampler,
  type DvaeConfig,
  dvae,
  generateCodes,
  type SparseConfig,
  sparse,
} from "@millrace/models"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { distance, runner, stepper } from "../core/train/training.js"

const grid = { rows: 2, columns: 3 }
const image: DvaeConfig = { ...grid, vocab: 5, groups: 2, blocks: 1, width: 4, first: 3, channels: 1 }
const model: SparseConfig = { ...grid, textVocab: 7, imageVocab: 5, text: 4, width: 8, layers: 3, heads: 2, kernel: 3 }
const pixels = tensor("float32", "b y x c", "[0,1]")
const words = { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") }
const [b, t, s] = [2, 4, 6]

/** Images as codes, which a transformer learns after their captions. */
const training = objectiveOf(
  graph("dall-e", { image: pixels, ...words })
    .node("codes", dvae.codes(image), { image: "image" }, { frozen: true })
    .node("logits", sparse.logits(model), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node("cost", sparse.loss({ pads: "counted" }), {
      text: "logits.text",
      image: "logits.image",
      tokens: "tokens",
      mask: "mask",
      codes: "codes",
    })
    .output({ loss: "cost.loss", codes: "codes" }),
)
const picture = objectiveOf(
  graph("picture", { codes: tensor("int32", "b s", "code") })
    .node("decoder", dvae.decode(image), { codes: "codes" })
    .output({ image: "decoder" }),
)

const inputs = { image: spec("float32", [b, 4, 6, 1]), tokens: spec("int32", [b, t]), mask: spec("float32", [b, t]) }
const batch: HostTensors = {
  image: random.uniform(keyFromSeed(1), [b, 4, 6, 1]),
  tokens: int32([b, t], [1, 2, 3, 4, 6, 0, 9, 9]),
  mask: float32([b, t], [1, 1, 1, 1, 1, 1, 0, 0]),
}
const step = {
  inputs,
  optimizer: { ...adamW, epsilon: 1e-6 },
  schedule: { kind: "constant", peak: 1e-2, warmup: 0, floor: 1 },
  steps: 10,
  clip: 1,
} as const satisfies TrainStepConfig
const initial = initParams(training.paramSpecs, keyFromSeed(2))
const runners = { onnx: runner("onnx"), "tfjs:cpu": runner("tfjs:cpu") }

describe("a step on images and captions", () => {
  test("learns the transformer and leaves the dVAE as it is, on onnx as on tfjs:cpu", async () => {
    const train = (engine: keyof typeof runners) =>
      runners[engine](Effect.flatMap(stepper(training, step), (run) => run(initial, [batch, batch])))
    const [onnx, cpu] = [await train("onnx"), await train("tfjs:cpu")]
    expect(frozenNames(training).every((name) => name.startsWith("codes."))).toBe(true)
    expect(training.trainable.every((name) => name.startsWith("logits."))).toBe(true)
    expect(onnx[1]!.outputs.codes).toEqual(cpu[1]!.outputs.codes)
    expect(onnx[1]!.outputs.codes!.dtype).toBe("int32")
    expect(onnx[1]!.outputs.codes!.shape).toEqual([b, s])
    expect(new Set(onnx[1]!.outputs.codes!.data).size).toBeGreaterThan(1)
    for (const [name, { data }] of Object.entries(cpu[1]!.params)) {
      expect(distance(onnx[1]!.params[name]!.data, data), name).toBeLessThanOrEqual(1e-4)
    }
    for (const [name, { data }] of Object.entries(onnx[1]!.frozen)) expect(data, name).toEqual(initial[name]!.data)
    expect(onnx[1]!.outputs.loss!.data[0]).toBeLessThan(onnx[0]!.outputs.loss!.data[0]!)
  })
})

describe("from a caption to an image", () => {
  const parameters = initParams(
    objectiveOf(
      graph("m", { ...words, codes: tensor("int32", "b s", "code") })
        .node("logits", sparse.logits(model), { tokens: "tokens", mask: "mask", codes: "codes" })
        .output("logits.text"),
    ).paramSpecs,
    keyFromSeed(3),
  )
  const decoder = initParams(picture.paramSpecs, keyFromSeed(4))

  test.each(["onnx", "tfjs:cpu"] as const)(
    "four images are drawn, the best two kept and decoded to pixels, on %s",
    (engine) =>
      runners[engine](
        Effect.gen(function* () {
          const service = yield* Engine
          const policy = yield* service.allocate(parameters)
          const sampler = yield* compileImageSampler(model, { batch: 4, prefix: "logits." })
          const { codes } = yield* generateCodes(
            sampler,
            policy,
            [
              [1, 2],
              [1, 2],
              [1, 2],
              [1, 2],
            ],
            keyFromSeed(5),
          )
          const scores = random.uniform(split(keyFromSeed(6), "scores"), [1, 4])
          const rank = yield* service.compile(
            forward(
              objectiveOf(
                graph("rank", { codes: tensor("int32", "b n s", "code"), scores: tensor("float32", "b n", "cosine") })
                  .node("best", bestOf.codes({ keep: 2 }), { codes: "codes", scores: "scores" })
                  .output({ codes: "best.codes", places: "best.places" }),
              ),
              { codes: spec("int32", [1, 4, s]), scores: spec("float32", [1, 4]) },
            ),
          )
          const best = yield* rank.run({
            state: { params: yield* service.allocate({}) },
            inputs: { codes: int32([1, 4, s], codes.data), scores },
          })
          const order = [0, 1, 2, 3].sort((i, j) => scores.data[j]! - scores.data[i]!)
          expect([...best.places!.data]).toEqual(order.slice(0, 2))
          expect([...best.codes!.data]).toEqual(
            order.slice(0, 2).flatMap((i) => [...codes.data.subarray(i * s, (i + 1) * s)]),
          )
          const decode = yield* service.compile(forward(picture, { codes: spec("int32", [2, s]) }))
          const made = yield* decode.run({
            state: { params: yield* service.allocate(decoder) },
            inputs: { codes: int32([2, s], best.codes!.data) },
          })
          expect(made.image!.shape).toEqual([2, 4, 6, 1])
          expect(made.image!.data.every((x) => x >= 0 && x <= 1)).toBe(true)
        }),
      ),
  )
})

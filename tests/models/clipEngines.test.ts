import {
  adamW,
  BadConfig,
  Engine,
  flatten,
  forward,
  graph,
  type HostTensors,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  objectiveOf,
  type ParamSpec,
  random,
  spec,
  type TrainStepConfig,
  tensor,
} from "@millrace/core"
import {
  type ClipConfig,
  clip,
  clipMoments,
  clipParams,
  clipTraining,
  populationStatistics,
  type ResNetConfig,
} from "@millrace/models"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { native } from "../core/engine/installed.js"
import { distance, runner, stepper } from "../core/train/training.js"

const text = { vocab: 11, context: 5, width: 8, layers: 1, heads: 2 }
const vit: ClipConfig = {
  joint: 6,
  image: { kind: "vit", size: 32, patch: 8, width: 12, layers: 2, heads: 3 },
  text,
}
const tower: ResNetConfig = { kind: "resnet", size: 32, width: 4, stages: [1, 1, 1, 1] }
const resNet: ClipConfig = { joint: 6, image: tower, text }
const b = 6

const runners = {
  onnx: runner("onnx"),
  "tfjs:cpu": runner("tfjs:cpu"),
  "tfjs:wasm": runner("tfjs:wasm"),
  "tfjs:node": runner("tfjs:node"),
}
const training = {
  inputs: { pixels: spec("float32", [b, 32, 32, 3]), tokens: spec("int32", [b, 5]) },
  // Far above rounding, so that Adam makes no step of a gradient that is 0 in theory.
  optimizer: { ...adamW, epsilon: 1e-3 },
  schedule: { kind: "constant", peak: 1e-2, warmup: 0, floor: 1 },
  steps: 100,
  clip: 1,
} as const satisfies TrainStepConfig
const batch: HostTensors = {
  pixels: random.normal(keyFromSeed(3), [b, 32, 32, 3]),
  tokens: int32([b, 5], Array.from({ length: b }, (_, i) => [9, i, (3 * i) % 7, 10, 0]).flat()),
}
const start = (config: ClipConfig): HostTensors =>
  initParams(flatten<ParamSpec>(clipParams(config), isParamSpec), keyFromSeed(1))
const train = (engine: keyof typeof runners, config: ClipConfig, steps: number) =>
  runners[engine](
    Effect.flatMap(stepper(objectiveOf(clipTraining(config)), training), (run) =>
      run(
        start(config),
        Array.from({ length: steps }, () => batch),
      ),
    ),
  )

// WebAssembly's tfjs has no gradient of filters, so a ResNet does not train there.
test.each([
  ["a vision transformer", "onnx", vit, 1e-4],
  ["a vision transformer", "tfjs:wasm", vit, 1e-4],
  ["a modified ResNet", "onnx", resNet, 1e-3],
  ...native.flatMap((engine) => [
    ["a vision transformer", engine, vit, 1e-4] as const,
    ["a modified ResNet", engine, resNet, 1e-3] as const,
  ]),
] as const)("two steps with %s on %s are those of tfjs:cpu", async (_, engine, config, tolerance) => {
  const [got, wanted] = [await train(engine, config, 2), await train("tfjs:cpu", config, 2)]
  for (const step of [0, 1]) {
    expect(distance(got[step]!.outputs.loss!.data, wanted[step]!.outputs.loss!.data)).toBeLessThan(1e-4)
    for (const [name, { data }] of Object.entries(wanted[step]!.params)) {
      expect(distance(got[step]!.params[name]!.data, data), name).toBeLessThan(tolerance)
    }
  }
})

test("a ResNet that has trained infers with statistics measured on the engine, and not without them", async () => {
  const infers: ClipConfig = { ...resNet, image: { ...tower, norm: "running" } }
  const params = (await train("onnx", resNet, 10)).at(-1)!.params
  const features = (config: ClipConfig, weights: HostTensors) =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const whole = graph("features", { pixels: tensor("float32", "b y x c", "clip") })
        .node("image", clip.image(config), { image: "pixels" })
        .output("image")
      const fn = forward(objectiveOf(whole), { pixels: training.inputs.pixels })
      const names = Object.keys(fn.state.params!)
      const state = yield* engine.allocate(Object.fromEntries(names.map((name) => [name, weights[name]!])))
      const { run } = yield* engine.compile(fn)
      return (yield* run({ state: { params: state }, inputs: { pixels: batch.pixels! } })).image!.data
    })
  const moments = Effect.gen(function* () {
    const engine = yield* Engine
    const state = yield* engine.allocate(params)
    const { run } = yield* engine.compile(clipMoments(resNet, b))
    return yield* run({ state: { params: state }, inputs: { pixels: batch.pixels! } })
  })
  const statistics = populationStatistics([await runners.onnx(moments)])
  const [trained, inferred, blank] = await runners.onnx(
    Effect.all([
      features(resNet, params),
      features(infers, { ...params, ...statistics }),
      features(infers, { ...start(infers), ...params }),
    ]),
  )
  const cosine = (x: ArrayLike<number>): number => Array.from(trained).reduce((sum, v, i) => sum + (v * x[i]!) / b, 0)
  // Not 1: the statistics are a population's, whose variance is b / (b − 1) of the batch's in the last stage.
  expect(cosine(inferred)).toBeGreaterThan(0.98)
  expect(cosine(blank)).toBeLessThan(0.9)
})

test.each([
  ["a vision transformer", vit, /a vision transformer/],
  ["a ResNet that infers", { ...resNet, image: { ...tower, norm: "running" } }, /norm "running"/],
] as const)("%s has no moments to measure", (_, config, message) => {
  expect(() => clipMoments(config, 2)).toThrow(BadConfig)
  expect(() => clipMoments(config, 2)).toThrow(message)
})

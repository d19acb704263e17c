import "@tensorflow/tfjs-backend-cpu"
import {
  adamW,
  BadConfig,
  BadLength,
  flatten,
  float32,
  graph,
  type HostTensors,
  initParams,
  isParamSpec,
  keyFromSeed,
  objectiveOf,
  random,
  spec,
  split,
  type TrainStepConfig,
  tensor,
} from "@millrace/core"
import {
  cosineRamp,
  type DvaeConfig,
  type DvaeParams,
  dvae,
  dvaeDecodeCodes,
  dvaeDecoderParams,
  dvaeEncode,
  dvaeEncoderParams,
  dvaeImage,
  dvaeSchedules,
  loss,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { distance, runner, stepper } from "../core/train/training.js"
import { wave } from "./reference/gpt.js"
import { tensorsOf, testParams } from "./reference/params.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const config: DvaeConfig = { vocab: 5, rows: 2, columns: 3, groups: 3, blocks: 1, width: 4, first: 3, channels: 2 }
const coder = (which: "encoder" | "decoder", of: DvaeConfig, scale = 0.4): DvaeParams => {
  const specs = which === "encoder" ? dvaeEncoderParams(of) : dvaeDecoderParams(of)
  return tensorsOf(specs, testParams(specs, 3, scale)) as DvaeParams
}
const imageOf = (of: DvaeConfig, b: number): tf.Tensor => {
  const stride = 2 ** (of.groups - 1)
  const shape: [number, number, number, number] = [b, of.rows * stride, of.columns * stride, of.channels ?? 3]
  const size = shape.reduce((n, side) => n * side, 1)
  return tf.tensor(
    Float32Array.from(wave(size, 1, 0.5), (x) => 0.5 + x),
    shape,
  )
}

describe("encoding", () => {
  test("gives logits of each code of any number of groups, square or not", () => {
    for (const groups of [1, 2, 4]) {
      const of = { ...config, groups, rows: 1, columns: 2 }
      expect(tf.tidy(() => dvaeEncode(of, coder("encoder", of), imageOf(of, 2)).shape)).toEqual([2, 2, 5])
    }
  })

  test("takes the maximum of four pixels and not their mean", () => {
    const of: DvaeConfig = { vocab: 4, rows: 1, columns: 1, groups: 2, blocks: 1, width: 4, first: 1, channels: 1 }
    const specs = dvaeEncoderParams(of)
    // One pixel's value through the middle of the first kernel; blocks that add nothing.
    const values = Object.fromEntries(
      Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }]) => {
        const data = new Float64Array(shape.reduce((n, side) => n * side, 1))
        if (name === "input.weight") data[24 * 4] = 1
        if (name === "groups.1.0.skip.weight") data[0] = 1
        if (name === "output.weight") data[0] = 1
        return [name, data]
      }),
    )
    const logits = tf.tidy(() => {
      const image = tf.tensor4d([0, 0.25, 1, 0.5], [1, 2, 2, 1])
      return [...dvaeEncode(of, tensorsOf(specs, values) as DvaeParams, image).dataSync()]
    })
    expect(logits[0]).toBeCloseTo(0.9, 6)
  })

  test("of an image of another size or other channels is refused with both sizes", () => {
    const p = coder("encoder", config)
    expect(() => dvaeEncode(config, p, tf.zeros([1, 8, 8, 2]))).toThrow(BadLength)
    expect(() => dvaeEncode(config, p, tf.zeros([1, 8, 12, 3]))).toThrow(/8, 12, 2[\s\S]*8, 12, 3/)
  })
})

describe("decoding", () => {
  test("gives pixels, whatever the parameters", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 6, maxLength: 6 }), fc.constantFrom(0.1, 1, 3), (ids, scale) => {
        const pixels = tf.tidy(() => {
          const codes = tf.tensor2d(ids, [1, 6], "int32")
          return [...dvaeImage(dvaeDecodeCodes(config, coder("decoder", config, scale), codes)).dataSync()]
        })
        expect(pixels).toHaveLength(8 * 12 * 2)
        expect(pixels.every((x) => x >= 0 && x <= 1)).toBe(true)
      }),
      { numRuns: 5 },
    )
  })
})

describe("initial values", () => {
  test("have a variance of 1 over the inputs of a kernel, and biases of 0", () => {
    const wide = { ...config, vocab: 64, width: 64, groups: 1, channels: 3 }
    const specs = flatten(dvaeEncoderParams(wide), isParamSpec)
    const values = initParams(specs, keyFromSeed(1))
    for (const [name, { shape, data }] of Object.entries(values)) {
      if (name.endsWith("bias")) {
        expect(data.every((x) => x === 0)).toBe(true)
        continue
      }
      const inputs = shape[0]! * shape[1]! * shape[2]!
      const variance = Array.from(data).reduce((sum, x) => sum + x * x, 0) / data.length
      // The variance of n squares' mean is 2 / n.
      expect(Math.abs(variance * inputs - 1), name).toBeLessThan(5 * Math.sqrt(2 / data.length))
    }
  })

  test("let blocks add a 1 / layers² part: with a gain of 1 they would add as much as there is", () => {
    const deep = { ...config, groups: 1, blocks: 4, rows: 4, columns: 4, width: 16 }
    const specs = dvaeEncoderParams(deep)
    const values = initParams(flatten(specs, isParamSpec), keyFromSeed(2))
    const flat = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, Float64Array.from(data)]))
    const without = { ...flat }
    for (const name of Object.keys(flat)) {
      if (name.includes("convs.3.weight")) without[name] = new Float64Array(flat[name]!.length)
    }
    const logits = (of: typeof flat) =>
      tf.tidy(() =>
        dvaeEncode(deep, tensorsOf(specs, of) as DvaeParams, imageOf(deep, 1))
          .dataSync()
          .slice(),
      )
    const moved = distance(logits(flat), logits(without))
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(0.25)
  })
})

test.each([
  ["a width that blocks cannot quarter", { ...config, width: 6 }, /multiple of 4/],
  ["no groups", { ...config, groups: 0 }, /groups/],
])("%s is refused", (_, wrong, message) => {
  expect(() => dvae.logits(wrong)).toThrow(BadConfig)
  expect(() => dvae.logits(wrong)).toThrow(message)
})

/** An image, noise, and the schedules' values of an update -> the evidence bound, as a pipeline would wire it. */
const training = graph("dvae", {
  image: tensor("float32", "b y x c", "[0,1]"),
  noise: tensor("float32", "b s k", "gumbel"),
  temperature: tensor("float32", "", "temperature"),
  beta: tensor("float32", "", "weight"),
})
  .node("encoder", dvae.logits(config), { image: "image" })
  .node("relaxed", dvae.relax({}), { logits: "encoder", noise: "noise", temperature: "temperature" })
  .node("decoder", dvae.decodeRelaxed(config), { relaxed: "relaxed" })
  .node("cost", loss.dvae({}), {
    image: "image",
    mean: "decoder.mean",
    logWidth: "decoder.logWidth",
    logits: "encoder",
    beta: "beta",
  })
  .output({ loss: "cost.loss", reconstruction: "cost.reconstruction", kl: "cost.kl" })

const b = 2
const step = {
  inputs: {
    image: spec("float32", [b, 8, 12, 2]),
    noise: spec("float32", [b, 6, 5]),
    temperature: spec("float32", []),
    beta: spec("float32", []),
  },
  // Far above rounding, so that Adam makes no step of a gradient that is 0 in theory.
  optimizer: { ...adamW, epsilon: 1e-6 },
  schedule: { kind: "constant", peak: 5e-3, warmup: 0, floor: 1 },
  steps: 100,
  clip: 1,
} as const satisfies TrainStepConfig
const objective = objectiveOf(training)
const initial = initParams(objective.paramSpecs, keyFromSeed(1))
const ramps = { temperature: { ...dvaeSchedules.temperature, updates: 50 }, beta: { from: 0, to: 0.1, updates: 30 } }
/** A dark and a bright image, with a little noise. */
const images = float32(
  [b, 8, 12, 2],
  random.uniform(keyFromSeed(7), [b, 8, 12, 2]).data.map((u, i) => (i < 192 ? 0.1 : 0.8) + 0.1 * u),
)
const batchOf = (update: number): HostTensors => ({
  image: images,
  noise: random.gumbel(split(keyFromSeed(8), update), [b, 6, 5]),
  temperature: float32([], [cosineRamp(ramps.temperature, update)]),
  beta: float32([], [cosineRamp(ramps.beta, update)]),
})
const runners = { onnx: runner("onnx"), "tfjs:cpu": runner("tfjs:cpu") }
const train = (engine: keyof typeof runners, updates: ReadonlyArray<number>) =>
  runners[engine](Effect.flatMap(stepper(objective, step), (run) => run(initial, updates.map(batchOf))))

describe("training, with the temperature and β of each update as inputs", () => {
  test("takes the same steps on onnx as on tfjs:cpu", async () => {
    const [onnx, cpu] = [await train("onnx", [0, 25]), await train("tfjs:cpu", [0, 25])]
    for (const [i, { outputs, params }] of cpu.entries()) {
      for (const [name, { data }] of Object.entries({ ...outputs, ...params })) {
        const got = { ...onnx[i]!.outputs, ...onnx[i]!.params }[name]!
        expect(distance(got.data, data), `${name} after step ${i}`).toBeLessThanOrEqual(2e-4)
      }
    }
  })

  test("lowers the surprise at pixels", async () => {
    const steps = await train(
      "onnx",
      Array.from({ length: 100 }, (_, i) => i),
    )
    const surprise = (at: number): number => steps[at]!.outputs.reconstruction!.data[0]!
    expect(surprise(99)).toBeLessThan(surprise(0) - 0.3)
  })
})

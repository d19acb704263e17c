/** Diffusion as nodes: their losses on the default engine, and a small network trained and sampled from, from end to end. */
import {
  BadConfig,
  defineTensorNode,
  Engine,
  Engines,
  float32,
  graph,
  type HostTensors,
  initOptimizer,
  initParams,
  int32,
  keyFromSeed,
  normal,
  objectiveOf,
  random,
  slots,
  spec,
  split,
  type TensorFunction,
  tensor,
  trainStep,
  zeros,
} from "@millrace/core"
import {
  compileDiffusionSampler,
  denoiserOf,
  diffusion,
  diffusionOf,
  loss,
  parametrisations,
  variances,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { describe, expect, test } from "vitest"

const onnx = <A, E>(work: Effect.Effect<A, E, Engine>): Promise<A> =>
  Effect.runPromise(Effect.provide(work, Engines.layer("onnx", { threads: 1 })) as Effect.Effect<A, E>)

const schedule = { kind: "cosine", steps: 50 } as const
const [b, y, x, c] = [3, 2, 3, 2]
const wave = (shape: ReadonlyArray<number>, phase: number) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(1 + 2.3 * i + phase)),
  )

test("the loss of every parametrisation, variance and kind agrees with tfjs, and so do its gradients", {
  timeout: 60_000,
}, async () => {
  const configs = parametrisations.flatMap((parametrisation) =>
    variances.flatMap((variance) =>
      (["simple", "bound", "hybrid"] as const).map((kind) => ({ schedule, parametrisation, variance, kind })),
    ),
  )
  const work = Effect.gen(function* () {
    const engine = yield* Engine
    for (const config of configs) {
      const node = loss.diffusion({ ...config, error: "start" })
      const k = config.variance === "learned-range" ? 2 * c : c
      const inputs: HostTensors = {
        image: wave([b, y, x, c], 0),
        noise: wave([b, y, x, c], 1),
        prediction: wave([b, y, x, k], 2),
        time: int32([b], [0, 20, 40]),
      }
      const fn: TensorFunction = {
        name: "loss",
        state: {},
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, spec(t.dtype, t.shape)])),
        body: (_, given) => {
          const of = (prediction: tf.Tensor) => node.apply({}, { ...given, prediction } as never)
          const gradient = tf.grad((p) => of(p).loss as tf.Scalar)(given.prediction!)
          const { loss, simple, bound } = of(given.prediction!)
          return { outputs: { loss, simple, bound, gradient } }
        },
      }
      const got = yield* (yield* engine.compile(fn)).run({ inputs })
      const wanted = tf.tidy(() => {
        const given = Object.fromEntries(
          Object.entries(inputs).map(([name, t]) => [name, tf.tensor(t.data, [...t.shape], t.dtype)]),
        )
        const { outputs } = fn.body({}, given)
        return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, Array.from(value.dataSync())]))
      })
      for (const [name, expected] of Object.entries(wanted)) {
        const scale = Math.max(1, ...expected.map(Math.abs))
        const far = Math.max(...expected.map((v, i) => Math.abs(v - got[name]!.data[i]!)))
        expect(far / scale, `${name} of ${JSON.stringify(config)}`).toBeLessThan(1e-5)
      }
    }
  })
  await onnx(Effect.scoped(work))
})

describe("the config of a diffusion node", () => {
  test("refuses a schedule that cannot be when it is applied, and a parametrisation that nobody named at once", () => {
    const bad = loss.diffusion.decode(
      { schedule, parametrisation: "epsilon", variance: "fixed-small", kind: "simple" },
      "recipe",
    )
    const error = Effect.runSync(Effect.flip(bad))
    expect(error).toBeInstanceOf(BadConfig)
    expect(error.message).toContain("velocity")
    expect(() =>
      diffusion.noise({ schedule: { kind: "linear", steps: 5 } }).apply(
        {},
        {
          image: tf.zeros([1, 1, 1, 1]),
          noise: tf.zeros([1, 1, 1, 1]),
          time: tf.zeros([1], "int32"),
        },
      ),
    ).toThrow(BadConfig)
  })
})

test("noise of embeddings is noise of images of one pixel", () => {
  const [image, noise, time] = [tf.tensor2d([[1, 2, 3]]), tf.tensor2d([[-1, 0, 1]]), tf.tensor1d([7], "int32")]
  const flat = diffusion.noiseEmbedding({ schedule }).apply({}, { embedding: image, noise, time })
  const wide = (v: tf.Tensor) => tf.reshape(v, [1, 1, 1, 3])
  const whole = diffusion.noise({ schedule }).apply({}, { image: wide(image), noise: wide(noise), time })
  expect([...flat.dataSync()]).toEqual([...whole.dataSync()])
})

// --- a small network

/** Two hidden layers over a pixel's channels and its time; predictions and variances of each channel. */
const width = 64
const denoise = defineTensorNode({
  type: "test.denoise",
  version: 1,
  config: Schema.Struct({ channels: Schema.Int, steps: Schema.Int }),
  ports: () => ({
    in: { noisy: tensor("float32", "b y x c", "noisy"), time: tensor("int32", "b", "step") },
    out: tensor("float32", "b y x k", "prediction"),
  }),
  params: ({ channels }) => ({
    first: { shape: [channels + 4, width], init: normal(0.5) },
    firstBias: { shape: [width], init: normal(0.5) },
    second: { shape: [width, width], init: normal(0.12) },
    secondBias: { shape: [width], init: zeros },
    last: { shape: [width, 2 * channels], init: zeros },
  }),
  apply: ({ channels, steps }, p, { noisy, time }) => {
    const [b = 0, y = 0, x = 0] = noisy.shape
    const late = tf.div(tf.reshape(tf.cast(time, "float32"), [b, 1, 1, 1]), steps)
    const phases = [1, 2].flatMap((k) => [tf.cos(tf.mul(late, k * Math.PI)), tf.sin(tf.mul(late, k * Math.PI))])
    const tiled = tf.tile(tf.concat(phases, 3), [1, y, x, 1])
    const input = tf.reshape(tf.concat([noisy, tiled], 3), [b * y * x, channels + 4])
    const hidden = tf.tanh(tf.add(tf.matMul(input, p.first as tf.Tensor2D), p.firstBias))
    const deep = tf.tanh(tf.add(tf.matMul(hidden as tf.Tensor2D, p.second as tf.Tensor2D), p.secondBias))
    return tf.reshape(tf.matMul(deep as tf.Tensor2D, p.last as tf.Tensor2D), [b, y, x, 2 * channels])
  },
})

test("a small network learns two points, and its DDPM and DDIM samples are those", { timeout: 60_000 }, async () => {
  const config = { schedule, parametrisation: "noise", variance: "learned-range" } as const
  const image = tensor("float32", "b y x c", "[-1,1]")
  const objective = objectiveOf(
    graph("toy", { image, noise: tensor("float32", "b y x c", "noise"), time: tensor("int32", "b", "step") })
      .node("noisy", diffusion.noise({ schedule }), { image: "image", noise: "noise", time: "time" })
      .node("network", denoise({ channels: 2, steps: 50 }), { noisy: "noisy", time: "time" })
      .node("losses", loss.diffusion({ ...config, kind: "hybrid" }), {
        image: "image",
        noise: "noise",
        time: "time",
        prediction: "network",
      })
      .output({ loss: "losses.loss", simple: "losses.simple", bound: "losses.bound" }),
  )
  const [rows, steps] = [256, 1000]
  const key = keyFromSeed(8)
  /** (0.5, −0.25) or (−0.5, 0.75). */
  const points = Float32Array.from({ length: 2 * rows }, (_, i) => [0.5, -0.25, -0.5, 0.75][i % 4]!)
  const work = Effect.gen(function* () {
    const engine = yield* Engine
    const shape = [rows, 1, 1, 2]
    const { loop } = yield* engine.compile(
      trainStep(objective, {
        inputs: { image: spec("float32", shape), noise: spec("float32", shape), time: spec("int32", [rows]) },
        optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
        schedule: { kind: "cosine", peak: 5e-3, warmup: 10, floor: 0.01 },
        steps,
        clip: 1,
      }),
    )
    const params = yield* engine.allocate(initParams(objective.paramSpecs, split(key, "params")))
    const { simple } = yield* loop({
      state: {
        [slots.params]: params,
        [slots.frozen]: yield* engine.allocate({}),
        [slots.optimizer]: yield* engine.allocate(initOptimizer(objective)),
      },
      steps,
      inputs: { image: float32(shape, points) },
      each: {
        noise: random.normal(split(key, "noise"), [steps, ...shape]),
        time: int32([steps, rows], random.integers(split(key, "time"), [steps, rows], 0, 50).data),
      },
      collect: ["simple"],
    })
    const sampled = (spacing: string, method: { kind: "ddpm" } | { kind: "ddim"; eta: number }) =>
      Effect.gen(function* () {
        const sampler = yield* compileDiffusionSampler(
          denoiserOf(denoise({ channels: 2, steps: 50 }), { noisy: "noisy", time: "time" }),
          {
            diffusion: diffusionOf(config),
            spacing,
            method,
            clamp: 1,
            batch: 64,
            shape: [1, 1, 2],
            prefix: "network.",
          },
        )
        return (yield* sampler.sample(params, { count: 64 }, split(key, "sample"))).data
      })
    return {
      simple: simple!.data,
      ddpm: yield* sampled("50", { kind: "ddpm" }),
      ddim: yield* sampled("ddim25", { kind: "ddim", eta: 0 }),
    }
  })
  const { simple, ddpm, ddim } = await onnx(Effect.scoped(work))
  const average = (from: number, to: number) =>
    Float32Array.from(simple.subarray(from, to)).reduce((sum, v) => sum + v, 0) / (to - from)
  expect(average(steps - 50, steps)).toBeLessThan(0.5 * average(0, 5))
  for (const samples of [ddpm, ddim]) {
    let [near, firsts] = [0, 0]
    for (let i = 0; i < 64; i++) {
      const [u, v] = [samples[2 * i]!, samples[2 * i + 1]!]
      const first = Math.hypot(u - 0.5, v + 0.25) < 0.15
      if (first) firsts++
      if (first || Math.hypot(u + 0.5, v - 0.75) < 0.15) near++
    }
    expect(near).toBeGreaterThan(55)
    expect(firsts).toBeGreaterThan(15)
    expect(firsts).toBeLessThan(49)
  }
})

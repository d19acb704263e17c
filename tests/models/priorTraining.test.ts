/**
 * Both priors learn which embedding goes with a caption, and sample it. An embedding here is one of three centres, told by
 * the caption's token alone, and normal noise.
 */
import "@tensorflow/tfjs-backend-cpu"
import {
  adamW,
  Engine,
  Engines,
  float32,
  graph,
  type HostTensors,
  initOptimizer,
  initParams,
  int32,
  keyFromSeed,
  type Objective,
  objectiveOf,
  random,
  type Specs,
  spec,
  split,
  tensor,
  trainStep,
} from "@millrace/core"
import {
  autoregressivePrior,
  compileAutoregressivePriorSampler,
  compilePriorSampler,
  diffusion,
  diffusionOf,
  fitPca,
  fitRange,
  loss,
  type PriorConfig,
  prior,
  priorDenoiser,
  projectEmbeddings,
  quantise,
  sampleEmbeddingCodes,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 1 }))
afterAll(() => runtime.dispose())
beforeAll(() => tf.setBackend("cpu"))

const [c, t, factor, deviation] = [4, 2, 2, 0.15]
const centres = [
  [1, 0, 0, -0.5],
  [-0.5, 1, 0, 0],
  [0, -0.5, -1, 0.5],
]
const [b, steps] = [64, 200]
const n = b * steps
const key = keyFromSeed(9)
const tokens = random.integers(split(key, "tokens"), [n], 0, 3).data
const noise = random.normal(split(key, "spread"), [n, c]).data
const embeddings = Float32Array.from({ length: n * c }, (_, i) => {
  return centres[tokens[Math.floor(i / c)]!]![i % c]! + deviation * noise[i]!
})
const stacked = (row: ReadonlyArray<number>, data: Float32Array) => float32([steps, b, ...row], data)
const captions = {
  textEmbedding: stacked([c], new Float32Array(n * c)),
  text: int32(
    [steps, b, t],
    Array.from({ length: n * t }, (_, i) => (i % t === 0 ? tokens[i / t]! : 0)),
  ),
  mask: stacked(
    [t],
    Float32Array.from({ length: n * t }, (_, i) => 1 - (i % t)),
  ),
  kept: stacked(
    [],
    Float32Array.from(random.uniform(split(key, "kept"), [n]).data, (u) => (u < 0.1 ? 0 : 1)),
  ),
}

/** Captions to sample for: each token so many times. */
const times = 24
const asked = {
  textEmbedding: float32([3 * times, c], new Float32Array(3 * times * c)),
  text: int32(
    [3 * times, t],
    Array.from({ length: 3 * times * t }, (_, i) => (i % t === 0 ? (i / t) % 3 : 0)),
  ),
  mask: float32(
    [3 * times, t],
    Array.from({ length: 3 * times * t }, (_, i) => 1 - (i % t)),
  ),
}

/** All batches, one a step: the losses and the parameters. */
const trained = (objective: Objective, batches: HostTensors) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const inputs: Specs = Object.fromEntries(
      Object.entries(batches).map(([name, { dtype, shape }]) => [name, spec(dtype, shape.slice(1))]),
    )
    const step = yield* engine.compile(
      trainStep(objective, {
        inputs,
        steps,
        optimizer: adamW,
        schedule: { kind: "cosine", peak: 1e-2, warmup: 5, floor: 0.05 },
        clip: 1,
      }),
    )
    const params = yield* engine.allocate(initParams(objective.paramSpecs, keyFromSeed(1)))
    const state = {
      params,
      frozen: yield* engine.allocate({}),
      optimizer: yield* engine.allocate(initOptimizer(objective)),
    }
    const told = yield* step.loop({ state, steps, inputs: {}, each: batches, collect: ["loss"] })
    return { losses: Array.from(told.loss!.data), params }
  })

const mean = (x: ReadonlyArray<number>): number => x.reduce((sum, v) => sum + v, 0) / x.length
/** The mean of what was sampled for each token, against its centre; and the share of samples whose own centre is nearest. */
const verdict = (sampled: ArrayLike<number>) => {
  const rows = Array.from({ length: 3 * times }, (_, i) => Array.from({ length: c }, (__, j) => sampled[i * c + j]!))
  const far = (x: ReadonlyArray<number>, centre: ReadonlyArray<number>) =>
    Math.hypot(...x.map((v, j) => v - centre[j]!))
  const means = centres.map((_, token) => {
    const own = rows.filter((__, i) => i % 3 === token)
    return Array.from({ length: c }, (__, j) => mean(own.map((row) => row[j]!)))
  })
  const nearest = rows.map((row) => centres.map((centre) => far(row, centre))).map((d) => d.indexOf(Math.min(...d)))
  return {
    error: Math.max(...means.map((m, token) => far(m, centres[token]!))),
    right: mean(nearest.map((at, i) => (at === i % 3 ? 1 : 0))),
  }
}

const ports = {
  textEmbedding: tensor("float32", "b c", "embedding"),
  text: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  kept: tensor("float32", "b", "mask"),
}
const told = { textEmbedding: "textEmbedding", text: "text", mask: "mask", kept: "kept" } as const
const model: PriorConfig = {
  embedding: c,
  text: { context: t, vocab: 3 },
  width: 16,
  layers: 1,
  heads: 2,
  dropped: "learned",
}

test("a diffusion prior that is trained samples the embeddings that go with a caption", async () => {
  const schedule = { kind: "cosine", steps: 100 } as const
  const objective = objectiveOf(
    graph("training", {
      ...ports,
      embedding: tensor("float32", "b c", "embedding"),
      noise: tensor("float32", "b c", "noise"),
      time: tensor("int32", "b", "step"),
    })
      .node(
        "noised",
        diffusion.noiseEmbedding({ schedule }),
        { embedding: "embedding", noise: "noise", time: "time" },
        { axes: { d: "c" } },
      )
      .node("prior", prior.predict(model), { ...told, noised: "noised", time: "time" })
      .node("loss", loss.prior({}), { predicted: "prior", embedding: "embedding" })
      .output("loss"),
  )
  const batches = {
    ...captions,
    embedding: stacked(
      [c],
      embeddings.map((x) => x * factor),
    ),
    noise: stacked([c], Float32Array.from(random.normal(split(key, "noise"), [n, c]).data)),
    time: int32([steps, b], random.integers(split(key, "time"), [n], 0, 100).data),
  }
  const { losses, right, error } = await runtime.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { losses, params } = yield* trained(objective, batches)
        const sampler = yield* compilePriorSampler(priorDenoiser(model), {
          diffusion: diffusionOf({ schedule, parametrisation: "start", variance: "fixed-small" }),
          spacing: "25",
          method: { kind: "ddpm" },
          clamp: "karlo",
          guidance: 1,
          candidates: 1,
          scale: { kind: "factor", factor },
          batch: 24,
          prefix: "prior.",
        })
        return { losses, ...verdict((yield* sampler.sample(params, asked, key)).embeddings.data) }
      }),
    ),
  )
  expect(mean(losses.slice(-20)) / mean(losses.slice(0, 5))).toBeLessThan(0.5)
  expect(right).toBeGreaterThan(0.9)
  expect(error).toBeLessThan(0.4)
})

test("an autoregressive prior that is trained samples the embeddings that go with a caption", async () => {
  const [codes, buckets] = [3, 8]
  const data = float32([n, c], embeddings)
  const pca = fitPca(data, codes)
  const constant = (x: { readonly data: ArrayLike<number>; readonly shape: ReadonlyArray<number> }): tf.Tensor =>
    tf.tensor(Float32Array.from(x.data), [...x.shape])
  const components = projectEmbeddings(constant(data), constant(pca.mean), constant(pca.axes))
  const range = fitRange(float32([n, codes], components.dataSync()))
  const coded = quantise(components, constant(range.low), constant(range.high), buckets).dataSync()
  const config = { ...model, codes, buckets, dotBuckets: 2 }
  const objective = objectiveOf(
    graph("training", {
      ...ports,
      dot: tensor("int32", "b", "bucket"),
      codes: tensor("int32", "b k", "code"),
    })
      .node("logits", autoregressivePrior.logits(config), { ...told, dot: "dot", codes: "codes" })
      .node("loss", loss.codes({}), { logits: "logits", codes: "codes" })
      .output("loss"),
  )
  const batches = {
    ...captions,
    dot: int32([steps, b], new Int32Array(n)),
    codes: int32([steps, b, codes], Int32Array.from(coded)),
  }
  const { losses, right, error } = await runtime.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { losses, params } = yield* trained(objective, batches)
        const sampler = yield* compileAutoregressivePriorSampler(config, {
          batch: 24,
          pca,
          range,
          dots: float32([1], [0]),
          dotRange: { low: float32([1], [0]), high: float32([1], [1]) },
          prefix: "logits.",
        })
        return { losses, ...verdict((yield* sampleEmbeddingCodes(sampler, params, asked, key)).embeddings.data) }
      }),
    ),
  )
  expect(losses[0]).toBeGreaterThan(0.9 * Math.log(buckets))
  expect(mean(losses.slice(-20)) / losses[0]!).toBeLessThan(0.7)
  expect(right).toBeGreaterThan(0.9)
  expect(error).toBeLessThan(0.4)
})

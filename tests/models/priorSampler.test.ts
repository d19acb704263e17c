/**
 * A diffusion prior's sampler, on closed forms and on a prior that is trained here. For embeddings N(m, s²) at the scale of
 * noise, the best prediction of the start is m + √ᾱ s² (x − √ᾱ m) / (ᾱ s² + 1 − ᾱ).
 */
import {
  BadConfig,
  Engine,
  Engines,
  flatten,
  float32,
  type HostTensor,
  type HostTensors,
  initParams,
  int32,
  isParamSpec,
  keyFromSeed,
  ShapeMismatch,
  spec,
} from "@millrace/core"
import {
  type Captions,
  compilePriorSampler,
  type Denoiser,
  noiseSchedule,
  type PriorConfig,
  type PriorSamplerConfig,
  type PriorSamples,
  priorDenoiser,
  priorParams,
  priorSamplerPresets,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll, describe, expect, test } from "vitest"

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))
const run = <A, E>(engine: string, effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtimes.get(engine)!.runPromise(Effect.scoped(effect))

const key = keyFromSeed(3)
const schedule = noiseSchedule({ kind: "cosine", steps: 1000 })
const base: PriorSamplerConfig = {
  diffusion: { schedule, variance: "fixed-small" },
  spacing: "64",
  method: { kind: "ddpm" },
  clamp: "none",
  guidance: 1,
  candidates: 1,
  scale: { kind: "factor", factor: 17.2 },
  batch: 64,
}

const c = 4
const deviation = 0.5

/** The optimal prior of embeddings whose mean, at the scale of noise, is the caption's embedding, or 0 without one. */
const closed: Denoiser = {
  name: "closed",
  params: {},
  conditioning: {
    textEmbedding: spec("float32", [c]),
    text: spec("int32", [2]),
    mask: spec("float32", [2]),
    kept: spec("float32", []),
  },
  apply: (_, x, time, { textEmbedding, kept }) => {
    const left = tf.reshape(tf.gather(tf.tensor1d(Float32Array.from(schedule.alphaBar)), time as tf.Tensor1D), [-1, 1])
    const mean = tf.mul(textEmbedding!, tf.reshape(kept!, [-1, 1]))
    const total = tf.add(tf.mul(left, deviation ** 2), tf.sub(1, left))
    const centred = tf.sub(x, tf.mul(tf.sqrt(left), mean))
    return tf.add(mean, tf.div(tf.mul(tf.mul(tf.sqrt(left), deviation ** 2), centred), total))
  },
}

const captions = (n: number, embedding: ReadonlyArray<number>): Captions => ({
  textEmbedding: float32(
    [n, c],
    Array.from({ length: n * c }, (_, i) => embedding[i % embedding.length]!),
  ),
  text: int32([n, 2], new Int32Array(2 * n)),
  mask: float32([n, 2], new Float32Array(2 * n)),
})

const sampled = (
  denoiser: Denoiser,
  config: Partial<PriorSamplerConfig>,
  given: Captions,
  {
    seed = key,
    params = {},
    empty,
  }: { readonly seed?: typeof key; readonly params?: HostTensors; readonly empty?: Captions } = {},
): Effect.Effect<PriorSamples, unknown, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const state = yield* (yield* Engine).allocate(params)
    const sampler = yield* compilePriorSampler(denoiser, { ...base, ...config })
    return yield* sampler.sample(state, given, seed, empty)
  })

const row = ({ data, shape }: HostTensor, i: number): Array<number> => {
  const size = data.length / shape[0]!
  return Array.from(data.subarray(i * size, (i + 1) * size))
}
const column = ({ data }: HostTensor, j: number): Array<number> => Array.from(data).filter((_, i) => i % c === j)
const mean = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0) / x.length
const spread = (x: ReadonlyArray<number>): number => Math.sqrt(mean(x.map((v) => (v - mean(x)) ** 2)))
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length)
  return Array.from(a).reduce((top, x, i) => Math.max(top, Math.abs(x - b[i]!)), 0)
}

const means = [3, -2, 0, 1]
const [n, error] = [256, (5 * deviation) / Math.sqrt(256)]

describe("of a prior whose answer is known", () => {
  test("embeddings have the data's mean and deviation, at their own scale", async () => {
    const { embeddings } = await run("onnx", sampled(closed, { spacing: "250" }, captions(n, means)))
    for (const [j, m] of means.entries()) {
      expect(Math.abs(mean(column(embeddings, j)) * 17.2 - m)).toBeLessThan(error + 0.02)
      expect(Math.abs((spread(column(embeddings, j)) * 17.2) / deviation - 1)).toBeLessThan(0.25)
    }
  })

  test("scaling by statistics is undone as scaling by a factor is", async () => {
    const scale = {
      kind: "statistics",
      mean: float32([c], [1, 0, -1, 5]),
      std: float32([c], [2, 1, 0.5, 3]),
    } as const
    const [factor, statistics] = await run(
      "onnx",
      Effect.all([sampled(closed, {}, captions(8, means)), sampled(closed, { scale }, captions(8, means))]),
    )
    const expected = Array.from(
      factor.embeddings.data,
      (x, i) => x * 17.2 * scale.std.data[i % c]! + scale.mean.data[i % c]!,
    )
    expect(worst(statistics.embeddings.data, expected)).toBeLessThan(1e-4)
  })

  test("guidance moves the mean past the caption's, from that without one", async () => {
    const guided = (guidance: number) => sampled(closed, { guidance }, captions(n, means))
    const [none, half, three] = await run("onnx", Effect.all([guided(0), guided(0.5), guided(3)]))
    for (const [j, m] of means.entries()) {
      for (const [made, scale] of [
        [none, 0],
        [half, 0.5],
        [three, 3],
      ] as const) {
        // The prediction is affine in the mean: guided, it is that of the mean times the scale.
        const at = mean(column(made.embeddings, j)) * 17.2
        expect(Math.abs(at - scale * m)).toBeLessThan(error + 0.02)
      }
    }
  })

  test("a guidance next to 1, with both branches, samples what 1 does with one", async () => {
    const [one, near] = await run(
      "onnx",
      Effect.all([
        sampled(closed, { guidance: 1 }, captions(5, means)),
        sampled(closed, { guidance: 1 + 2 ** -22 }, captions(5, means)),
      ]),
    )
    expect(worst(one.embeddings.data, near.embeddings.data)).toBeLessThan(1e-5)
  })

  test("an empty caption stands for none where one is given", async () => {
    const [left, empty] = await run(
      "onnx",
      Effect.all([
        sampled(closed, { guidance: 3 }, captions(5, means)),
        sampled(closed, { guidance: 3 }, captions(5, means), { empty: captions(1, [0]) }),
      ]),
    )
    expect(worst(left.embeddings.data, empty.embeddings.data)).toBeLessThan(1e-5)
    const other = await run("onnx", sampled(closed, { guidance: 3 }, captions(5, means), { empty: captions(1, means) }))
    const alone = await run("onnx", sampled(closed, { guidance: 1 }, captions(5, means)))
    expect(worst(other.embeddings.data, alone.embeddings.data)).toBeLessThan(1e-5)
  })

  test("of two candidates the one that is closest to its caption is taken, and it is closer on average", async () => {
    const given = captions(n, means)
    const { embeddings, candidates } = await run("onnx", sampled(closed, { candidates: 2 }, given))
    const dot = (x: ReadonlyArray<number>): number => x.reduce((sum, v, j) => sum + v * means[j]!, 0)
    const dots = Array.from({ length: n }, (_, i) => {
      const both = row(candidates, i)
      const [a, b] = [both.slice(0, c), both.slice(c)]
      expect(row(embeddings, i)).toEqual(dot(a) >= dot(b) ? a : b)
      return [dot(a), Math.max(dot(a), dot(b))] as const
    })
    // The larger of two normal draws lies a deviation / √π above their mean.
    const gain = mean(dots.map(([, taken]) => taken)) - mean(dots.map(([first]) => first))
    const wanted = (Math.hypot(...means) * deviation) / 17.2 / Math.sqrt(Math.PI)
    expect(gain / wanted).toBeGreaterThan(0.7)
    expect(gain / wanted).toBeLessThan(1.3)
  })

  test("Karlo's clamp keeps what is seen within ±10", async () => {
    const far = captions(4, [40, -40])
    const [free, clamped] = await run(
      "onnx",
      Effect.all([sampled(closed, {}, far), sampled(closed, { clamp: "karlo" }, far)]),
    )
    expect(Math.max(...free.embeddings.data) * 17.2).toBeGreaterThan(30)
    expect(Math.max(...clamped.embeddings.data.map(Math.abs)) * 17.2).toBeLessThanOrEqual(10 + 1e-4)
  })

  test("one key gives the same bits, another key others, and the size of the batches nothing", async () => {
    const config = { candidates: 2, guidance: 2, batch: 2, spacing: "20" }
    const given = captions(5, means)
    const [first, again, other, five] = await run(
      "onnx",
      Effect.all([
        sampled(closed, config, given),
        sampled(closed, config, given),
        sampled(closed, config, given, { seed: keyFromSeed(4) }),
        sampled(closed, { ...config, batch: 5 }, given),
      ]),
    )
    expect(again).toEqual(first)
    expect(worst(first.embeddings.data, other.embeddings.data)).toBeGreaterThan(1e-3)
    expect(worst(first.candidates.data, five.candidates.data)).toBeLessThan(1e-6)
    expect(new Set(first.candidates.data).size).toBe(5 * 2 * c)
  })
})

const model: PriorConfig = {
  embedding: c,
  text: { context: 2, vocab: 3 },
  width: 16,
  layers: 1,
  heads: 2,
  dropped: "learned",
}

describe("of a small prior", () => {
  const params = initParams(flatten(priorParams(model), isParamSpec), keyFromSeed(1))
  const given: Captions = {
    ...captions(3, [0.5, -0.5, 0.5, -0.5, 0.1]),
    text: int32([3, 2], [0, 1, 2, 0, 1, 1]),
    mask: float32([3, 2], [1, 1, 1, 0, 0, 0]),
  }

  test("both engines sample the same embeddings, 25 steps under guidance", async () => {
    const { karlo } = priorSamplerPresets
    const config = { ...karlo, candidates: 2 }
    const [onnx, eager] = await Promise.all(
      ["onnx", "tfjs:cpu"].map((engine) => run(engine, sampled(priorDenoiser(model), config, given, { params }))),
    )
    expect(worst(onnx!.candidates.data, eager!.candidates.data)).toBeLessThan(1e-5)
    expect(worst(onnx!.embeddings.data, new Float32Array(3 * c))).toBeGreaterThan(1e-3)
  })

  test("captions of another shape are refused, and all numbers that make no sense at once", async () => {
    const wrong = { ...given, mask: float32([3, 3], new Float32Array(9)) }
    const mismatch = await run("tfjs:cpu", Effect.flip(sampled(priorDenoiser(model), {}, wrong, { params })))
    expect(mismatch).toBeInstanceOf(ShapeMismatch)
    const numbers = { candidates: 0, batch: 1.5, guidance: Number.NaN }
    const bad = await run("tfjs:cpu", Effect.flip(sampled(priorDenoiser(model), numbers, given, { params })))
    expect(bad).toBeInstanceOf(BadConfig)
    expect(String((bad as BadConfig).received).split("\n")).toHaveLength(3)
    const { kept: _, ...conditioning } = closed.conditioning
    const other = await run("tfjs:cpu", Effect.flip(sampled({ ...closed, conditioning }, {}, given)))
    expect(other).toBeInstanceOf(BadConfig)
  })
})

/**
 * Samplers on denoisers whose answer is known. For data N(m, s²) the best prediction of the noise is
 * √(1 − ᾱ) (x − √ᾱ m) / (ᾱ s² + 1 − ᾱ), and the ODE that DDIM integrates ends at m + s (x_T − √ᾱ_T m) / √(ᾱ_T s² + 1 − ᾱ_T).
 */
import { BadConfig, Engine, Engines, float32, keyFromSeed, random, ShapeMismatch, spec } from "@millrace/core"
import {
  compileDiffusionInverse,
  compileDiffusionSampler,
  type Denoiser,
  type Diffusion,
  type DiffusionProgress,
  type DiffusionSamplerConfig,
  type DiffusionSamples,
  diffusionOf,
  guided,
  type NoiseSchedule,
  noiseSchedule,
  type Parametrisation,
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

const key = keyFromSeed(5)
const cosine = diffusionOf({
  schedule: { kind: "cosine", steps: 1000 },
  parametrisation: "noise",
  variance: "fixed-small",
})
const linear = diffusionOf({
  schedule: { kind: "linear", steps: 1000 },
  parametrisation: "noise",
  variance: "fixed-small",
})

/** The optimal denoiser of N(mean, deviation²); `mean` is a condition of each row. */
const gaussian = (schedule: NoiseSchedule, deviation: number, predicts: Parametrisation = "noise"): Denoiser => ({
  name: "gaussian",
  params: {},
  conditioning: { mean: spec("float32", [1]) },
  apply: (_, x, time, { mean }) => {
    const left = tf.reshape(tf.gather(tf.tensor1d(Float32Array.from(schedule.alphaBar)), time as tf.Tensor1D), [-1, 1])
    const spread = tf.sub(1, left)
    const total = tf.add(tf.mul(left, deviation ** 2), spread)
    const centred = tf.sub(x, tf.mul(tf.sqrt(left), mean!))
    const noise = tf.div(tf.mul(tf.sqrt(spread), centred), total)
    const start = tf.add(mean!, tf.div(tf.mul(tf.mul(tf.sqrt(left), deviation ** 2), centred), total))
    if (predicts === "noise") return noise
    return predicts === "start" ? start : tf.sub(tf.mul(tf.sqrt(left), noise), tf.mul(tf.sqrt(spread), start))
  },
})

const base = { clamp: null, batch: 64, shape: [8] } as const
const conditions = (count: number, ...means: ReadonlyArray<number>) => ({
  mean: float32(
    [count, 1],
    Float32Array.from({ length: count }, (_, i) => means[i % means.length]!),
  ),
})

const sampled = (
  denoiser: Denoiser,
  config: DiffusionSamplerConfig,
  samples: DiffusionSamples,
  seed = key,
): Effect.Effect<Float32Array, unknown, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const params = yield* (yield* Engine).allocate({})
    const sampler = yield* compileDiffusionSampler(denoiser, config)
    return Float32Array.from((yield* sampler.sample(params, samples, seed)).data)
  })

const meanOf = (x: ArrayLike<number>): number => Array.from(x).reduce((a, b) => a + b, 0) / x.length
const varianceOf = (x: ArrayLike<number>): number => {
  const mean = meanOf(x)
  return Array.from(x).reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length
}
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length)
  return Array.from(a).reduce((top, x, i) => Math.max(top, Math.abs(x - b[i]!)), 0)
}

/**
 * Mean and variance of what ancestral sampling makes of N(0, 1), step by step in float64: each step is an affine map of x
 * and of its noise.
 */
const ancestral = (
  { alphaBar, alphaBarBefore, beta, posteriorVariance, steps }: NoiseSchedule,
  m: number,
  s: number,
) => {
  let [mean, variance] = [0, 1]
  for (let t = steps - 1; t >= 0; t--) {
    const total = alphaBar[t]! * s ** 2 + 1 - alphaBar[t]!
    const ofStart = (Math.sqrt(alphaBarBefore[t]!) * beta[t]!) / (1 - alphaBar[t]!)
    const ofNoisy = (Math.sqrt(1 - beta[t]!) * (1 - alphaBarBefore[t]!)) / (1 - alphaBar[t]!)
    const slope = ofNoisy + (ofStart * Math.sqrt(alphaBar[t]!) * s ** 2) / total
    const offset = (ofStart * m * (1 - alphaBar[t]!)) / total
    mean = slope * mean + offset
    variance = slope ** 2 * variance + posteriorVariance[t]!
  }
  return { mean, variance }
}

describe.each(["onnx", "tfjs:cpu"])("on %s", (engine) => {
  // Eager steps are slow: fewer samples of fewer numbers there.
  const count = engine === "onnx" ? 256 : 64
  const [m, s] = [0.7, 0.4]

  test.each<[string, Diffusion, DiffusionSamplerConfig["method"], string]>([
    ["DDPM, cosine", cosine, { kind: "ddpm" }, engine === "onnx" ? "1000" : "200"],
    ["DDPM, linear", linear, { kind: "ddpm" }, engine === "onnx" ? "1000" : "200"],
    ["DDIM", linear, { kind: "ddim", eta: 0 }, "100"],
    ["DDIM with η = 1", cosine, { kind: "ddim", eta: 1 }, "250"],
  ])("%s samples have the data's mean and variance", async (_, diffusion, method, spacing) => {
    const made = await run(
      engine,
      sampled(
        gaussian(diffusion.schedule, s),
        { ...base, diffusion, method, spacing },
        { count, conditioning: conditions(count, m) },
      ),
    )
    expect(made).toHaveLength(count * 8)
    // Five standard errors, and what so many steps leave of a bias.
    expect(Math.abs(meanOf(made) - m)).toBeLessThan((5 * s) / Math.sqrt(made.length) + 0.01)
    expect(Math.abs(varianceOf(made) / s ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / made.length) + 0.05)
  })
})

test("few ancestral steps have the mean and the variance of their recursion, which are not yet the data's", async () => {
  const diffusion = { ...linear, schedule: noiseSchedule({ kind: "linear", steps: 25 }) }
  const [count, m, s] = [2048, 0.7, 0.4]
  const made = await run(
    "onnx",
    sampled(
      gaussian(diffusion.schedule, s),
      { ...base, batch: 512, diffusion, method: { kind: "ddpm" } },
      { count, conditioning: conditions(count, m) },
    ),
  )
  const { mean, variance } = ancestral(diffusion.schedule, m, s)
  expect(Math.abs(meanOf(made) - mean)).toBeLessThan(4 * Math.sqrt(variance / made.length))
  expect(Math.abs(varianceOf(made) / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / made.length))
  expect(Math.abs(variance / s ** 2 - 1)).toBeGreaterThan(0.1)
})

test("the variance of ancestral sampling tends to the data's as steps are added", () => {
  const errors = [50, 100, 200, 400].map((steps) => {
    const schedule = noiseSchedule({ kind: "linear", steps })
    return 1 - ancestral(schedule, 0.7, 0.4).variance / 0.4 ** 2
  })
  for (const [i, error] of errors.slice(1).entries()) {
    expect(errors[i]! / error).toBeGreaterThan(1.6)
    expect(errors[i]! / error).toBeLessThan(2.2)
  }
})

describe("DDIM", () => {
  const [m, s] = [0.7, 0.4]
  const { schedule } = linear
  const count = 32
  const start = random.normal(keyFromSeed(1), [count, 8])
  const exact = (x: number): number => {
    const left = schedule.alphaBar.at(-1)!
    return m + (s * (x - Math.sqrt(left) * m)) / Math.sqrt(left * s ** 2 + 1 - left)
  }
  const config = { ...base, batch: 32, diffusion: linear, method: { kind: "ddim", eta: 0 } } as const

  test("converges to the ODE's solution, point by point, at the first order of its steps", async () => {
    const errors = await run(
      "onnx",
      Effect.forEach([20, 40, 80, 160], (steps) => {
        // Even in the schedule's own steps, and with its last one, where the solution is known.
        const spacing = Array.from({ length: steps }, (_, i) => Math.round(((i + 1) * 1000) / steps) - 1)
        return Effect.map(
          sampled(gaussian(schedule, s), { ...config, spacing }, { count, start, conditioning: conditions(count, m) }),
          (made) => worst(made, Array.from(start.data, exact)),
        )
      }),
    )
    for (const [i, error] of errors.slice(1).entries()) {
      expect(errors[i]! / error).toBeGreaterThan(1.6)
      expect(errors[i]! / error).toBeLessThan(2.6)
    }
    expect(errors.at(-1)).toBeLessThan(0.03)
  })

  test.each<Parametrisation>(["start", "velocity"])(
    "samples the same from a network that predicts the %s",
    async (predicts) => {
      const samples = { count, start, conditioning: conditions(count, m) }
      const spaced = { ...config, spacing: "50" }
      const [noise, other] = await run(
        "onnx",
        Effect.all([
          sampled(gaussian(schedule, s), spaced, samples),
          sampled(
            gaussian(schedule, s, predicts),
            { ...spaced, diffusion: { ...linear, parametrisation: predicts } },
            samples,
          ),
        ]),
      )
      expect(worst(noise, other)).toBeLessThan(1e-4)
    },
  )

  test("inversion finds the noise again, the better the more steps there are", async () => {
    const errors = await run(
      "onnx",
      Effect.forEach([100, 400], (steps) =>
        Effect.gen(function* () {
          const params = yield* (yield* Engine).allocate({})
          const spaced = { ...config, spacing: `${steps}` }
          const conditioning = conditions(count, m)
          const data = yield* (yield* compileDiffusionSampler(gaussian(schedule, s), spaced)).sample(
            params,
            { count, start, conditioning },
            key,
          )
          const { invert } = yield* compileDiffusionInverse(gaussian(schedule, s), spaced)
          return worst((yield* invert(params, data, { conditioning })).data, start.data)
        }),
      ),
    )
    expect(errors[0]! / errors[1]!).toBeGreaterThan(2.5)
    expect(errors[1]).toBeLessThan(0.1)
  })
})

describe("a sampler", () => {
  const count = 5
  const conditioning = conditions(count, -1, 0, 1)
  const config = { ...base, batch: 2, shape: [3], spacing: "20", diffusion: cosine, method: { kind: "ddpm" } } as const
  const denoiser = gaussian(cosine.schedule, 0.3)

  test("gives the same bits for a key, and others for another key", async () => {
    const [first, again, other] = await run(
      "onnx",
      Effect.all([
        sampled(denoiser, config, { count, conditioning }),
        sampled(denoiser, config, { count, conditioning }),
        sampled(denoiser, config, { count, conditioning }, keyFromSeed(6)),
      ]),
    )
    expect(again).toEqual(first)
    expect(worst(first, other)).toBeGreaterThan(0.1)
  })

  test("gives a sample that depends on its place and not on the size of the batches", async () => {
    const [two, five] = await run(
      "onnx",
      Effect.all([
        sampled(denoiser, config, { count, conditioning }),
        sampled(denoiser, { ...config, batch: 5 }, { count, conditioning }),
      ]),
    )
    expect(worst(two, five)).toBeLessThan(1e-5)
    expect(new Set(two).size).toBe(15)
  })

  test("agrees on every engine", async () => {
    const [onnx, eager] = await Promise.all(
      ["onnx", "tfjs:cpu"].map((engine) => run(engine, sampled(denoiser, config, { count, conditioning }))),
    )
    expect(worst(onnx!, eager!)).toBeLessThan(1e-5)
  })

  test("tells each batch's progress, rising to the last step", async () => {
    const told: Array<DiffusionProgress> = []
    const progress = (at: DiffusionProgress) => Effect.sync(() => void told.push(at))
    await run("tfjs:cpu", sampled(denoiser, config, { count, conditioning, progress }))
    expect(told.map(({ sample, step }) => [sample, step])).toEqual(
      [0, 2, 4].flatMap((row) => [
        [row, 16],
        [row, 20],
      ]),
    )
    expect(new Set(told.map(({ steps }) => steps))).toEqual(new Set([20]))
  })

  test("begins with its noise times the temperature", async () => {
    const one = { ...config, batch: 4, spacing: "1", method: { kind: "ddim", eta: 0 }, temperature: 0 } as const
    const cold = await run("tfjs:cpu", sampled(denoiser, one, { count: 4, conditioning: conditions(4, 0) }))
    expect(worst(cold, new Float32Array(12))).toBe(0)
    const warm = { ...one, temperature: 0.5 }
    const [half, whole] = await run(
      "tfjs:cpu",
      Effect.all([
        sampled(denoiser, warm, { count: 4, conditioning: conditions(4, 0) }),
        sampled(denoiser, { ...one, temperature: 1 }, { count: 4, conditioning: conditions(4, 0) }),
      ]),
    )
    expect(
      worst(
        half,
        whole.map((x) => x / 2),
      ),
    ).toBeLessThan(1e-6)
    expect(Math.max(...whole)).toBeGreaterThan(0.1)
  })

  test("keeps the start within the clamp, so what it makes as well", async () => {
    const clamped = { ...config, clamp: 0.5 }
    const made = await run("onnx", sampled(denoiser, clamped, { count, conditioning: conditions(count, 3) }))
    expect(Math.max(...made)).toBeLessThanOrEqual(0.5)
  })

  test("is told the times that its network was trained on", async () => {
    const seen: Array<number> = []
    const spy: Denoiser = {
      ...denoiser,
      apply: (params, x, time, given) => {
        seen.push(time.dataSync()[0]!)
        return denoiser.apply(params, x, time, given)
      },
    }
    await run(
      "tfjs:cpu",
      sampled(spy, { ...config, spacing: [3, 500, 999], batch: 1 }, { count: 1, conditioning: conditions(1, 0) }),
    )
    expect(seen).toEqual([999, 500, 3])
  })

  test("refuses conditions that are missing, of the wrong shape, or that nothing reads, all at once", async () => {
    const wrong = { mean: float32([2, 1], [1, 2]), text: float32([5, 1], [1, 2, 3, 4, 5]) }
    const error = await run("tfjs:cpu", Effect.flip(sampled(denoiser, config, { count, conditioning: wrong })))
    expect(error).toBeInstanceOf(ShapeMismatch)
    expect(String(error)).toMatch(/mean float32\[5, 1\][\s\S]*no text/)
  })

  test("refuses a config that makes no sense, and says all of it", async () => {
    const bad = { ...config, batch: 0, clamp: -1, temperature: Number.NaN, method: { kind: "ddim", eta: 2 } } as const
    const error = await run("tfjs:cpu", Effect.flip(compileDiffusionSampler(denoiser, bad)))
    expect(error).toBeInstanceOf(BadConfig)
    expect(String(error)).toMatch(/batch[\s\S]*temperature[\s\S]*clamp[\s\S]*eta/)
    const spacing = await run(
      "tfjs:cpu",
      Effect.flip(compileDiffusionSampler(denoiser, { ...config, spacing: "ddim999" })),
    )
    expect(spacing).toBeInstanceOf(BadConfig)
  })
})

test("guidance of the optimal denoiser moves the mean by its scale, with both branches in one batch", async () => {
  const batches: Array<number> = []
  const denoiser = gaussian(cosine.schedule, 0.2)
  const counted: Denoiser = {
    ...denoiser,
    apply: (params, x, time, given) => {
      batches.push(x.shape[0]!)
      return denoiser.apply(params, x, time, given)
    },
  }
  const count = 16
  const config = { ...base, batch: 16, diffusion: cosine, spacing: "100", method: { kind: "ddim", eta: 0 } } as const
  const conditioning = { mean: conditions(count, 0.5).mean, "unconditional.mean": conditions(count, 0.1).mean }
  const start = random.normal(keyFromSeed(3), [count, 8])
  // The prediction is affine in the mean, so guidance is sampling with the mean guided.
  const [both, direct] = await run(
    "tfjs:cpu",
    Effect.all([
      sampled(guided(counted, 3), config, { count, start, conditioning }),
      sampled(denoiser, config, { count, start, conditioning: conditions(count, 0.1 + 3 * 0.4) }),
    ]),
  )
  expect(worst(both, direct)).toBeLessThan(1e-4)
  expect(new Set(batches)).toEqual(new Set([32]))
})

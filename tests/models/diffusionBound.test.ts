/**
 * The whole bound on data with two 8-bit values, ±a, as likely as each other: one bit. The best prediction of the start is
 * a tanh(√ᾱ a x / (1 − ᾱ)).
 */
import { Engine, Engines, float32, keyFromSeed, ShapeMismatch } from "@millrace/core"
import { compileDiffusionBound, type Denoiser, type DiffusionBound, diffusionOf } from "@millrace/models"
import { discretisedNormalReference as discretisedReference } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll, expect, test } from "vitest"

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))
const run = <A, E>(engine: string, effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtimes.get(engine)!.runPromise(Effect.scoped(effect))

const a = (2 * 191) / 255 - 1
const diffusion = diffusionOf({
  schedule: { kind: "cosine", steps: 500 },
  parametrisation: "start",
  variance: "fixed-small",
})

/** The best denoiser, its prediction times a factor. */
const twoValues = (factor: number): Denoiser => ({
  name: "two values",
  params: {},
  conditioning: {},
  apply: (_, x, time) => {
    const table = (f: (left: number) => number) =>
      tf.reshape(
        tf.gather(tf.tensor1d(Float32Array.from(diffusion.schedule.alphaBar, f)), time as tf.Tensor1D),
        [-1, 1],
      )
    return tf.mul(
      tf.tanh(
        tf.mul(
          x,
          table((left) => (Math.sqrt(left) * a) / (1 - left)),
        ),
      ),
      a * factor,
    )
  },
})

const [batch, width] = [16, 64]
const data = float32(
  [batch, width],
  Float32Array.from({ length: batch * width }, (_, i) => ((i * 7) % 13 < 6.5 ? a : -a)),
)

const bounded = (denoiser: Denoiser, steps?: string): Effect.Effect<DiffusionBound, unknown, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const params = yield* (yield* Engine).allocate({})
    const config = { diffusion, clamp: 1, batch, shape: [width], ...(steps === undefined ? {} : { spacing: steps }) }
    const bound = yield* compileDiffusionBound(denoiser, config)
    return yield* bound(params, data, keyFromSeed(1))
  })
const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length

test("the best denoiser's bound is the data's one bit and what the last step's deviation costs; a worse one's is higher", async () => {
  const [best, worse] = await run("onnx", Effect.all([bounded(twoValues(1)), bounded(twoValues(0.9))]))
  const first = -discretisedReference(a, a, diffusion.schedule.posteriorLogVariance[0]!) / Math.LN2
  expect(mean(best.terms[0]!)).toBeCloseTo(first, 4)
  expect(mean(best.total) - first).toBeGreaterThan(1)
  expect(mean(best.total) - first).toBeLessThan(1.05)
  expect(mean(worse.total)).toBeGreaterThan(mean(best.total) + 0.1)
})

test("fewer steps make a looser bound", async () => {
  const [few, some] = await run("onnx", Effect.all([bounded(twoValues(1), "10"), bounded(twoValues(1), "100")]))
  expect(mean(some.total)).toBeGreaterThan(1)
  expect(mean(few.total)).toBeGreaterThan(mean(some.total))
})

test("the total is the sum of what the terms say, none of them negative, one for each step and row", async () => {
  const { total, prior, terms } = await run("onnx", bounded(twoValues(1), "40"))
  expect(terms).toHaveLength(40)
  total.forEach((sum, i) => {
    expect(sum).toBeCloseTo(prior[i]! + terms.reduce((s, term) => s + term[i]!, 0), 9)
  })
  for (const term of terms) for (const x of term) expect(x).toBeGreaterThan(-1e-6)
  for (const x of prior) expect(Math.abs(x)).toBeLessThan(1e-5)
})

test("engines agree on it", async () => {
  const [onnx, eager] = await Promise.all(["onnx", "tfjs:cpu"].map((name) => run(name, bounded(twoValues(1), "20"))))
  onnx!.total.forEach((x, i) => {
    expect(Math.abs(x - eager!.total[i]!)).toBeLessThan(1e-5)
  })
})

test("data of another number of rows than it was compiled for is refused", async () => {
  const failure = Effect.gen(function* () {
    const params = yield* (yield* Engine).allocate({})
    const bound = yield* compileDiffusionBound(twoValues(1), { diffusion, clamp: 1, batch: 2, shape: [width] })
    return yield* Effect.flip(bound(params, data, keyFromSeed(1)))
  })
  expect(await run("tfjs:cpu", failure)).toBeInstanceOf(ShapeMismatch)
})

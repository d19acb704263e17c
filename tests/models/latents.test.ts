/**
 * Images as pairs of an embedding and noise, on a decoder whose answer is known: images are N(m, s²) in each pixel, m the
 * embedding's mean.
 */
import { Engine, Engines, float32, keyFromSeed, random, spec } from "@millrace/core"
import {
  compileDiffusionInverse,
  compileDiffusionSampler,
  type Denoiser,
  decodeLatents,
  diffusionOf,
  encodeLatents,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime } from "effect"
import { afterAll, describe, expect, test } from "vitest"
import "../laws/backend.js"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 1 }))
afterAll(() => runtime.dispose())

const diffusion = diffusionOf({
  schedule: { kind: "linear", steps: 1000 },
  parametrisation: "noise",
  variance: "fixed-small",
})
const s = 0.4
const decoder: Denoiser = {
  name: "decoder",
  params: {},
  conditioning: { embedding: spec("float32", [2]) },
  apply: (_, x, time, { embedding }) => {
    const alphas = tf.tensor1d(Float32Array.from(diffusion.schedule.alphaBar))
    const left = tf.reshape(tf.gather(alphas, time as tf.Tensor1D), [-1, 1, 1, 1])
    const mean = tf.reshape(tf.mean(embedding!, 1), [-1, 1, 1, 1])
    const total = tf.add(tf.mul(left, s ** 2), tf.sub(1, left))
    return tf.div(tf.mul(tf.sqrt(tf.sub(1, left)), tf.sub(x, tf.mul(tf.sqrt(left), mean))), total)
  },
}

const [n, shape] = [3, [2, 3, 1]] as const
const embedding = float32([n, 2], [1, 0, 0.5, -0.5, 0, -1])
const images = float32(
  [n, ...shape],
  random.normal(keyFromSeed(1), [n, 6]).data.map((z, i) => [0.5, 0, -0.5][Math.floor(i / 6)]! + s * z),
)
const at = { port: "embedding" }
const config = (steps: number) => ({ diffusion, clamp: null, batch: 3, shape, spacing: `${steps}` })

/** Images encoded, and decoded with each η of so many. */
const there = (steps: number, etas: ReadonlyArray<number>, changed = embedding) =>
  runtime.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const params = yield* (yield* Engine).allocate({})
        const inverse = yield* compileDiffusionInverse(decoder, config(steps))
        const latents = yield* encodeLatents(inverse, params, { images, embedding }, at)
        const made = yield* Effect.forEach(etas, (eta, i) =>
          Effect.gen(function* () {
            const sampler = yield* compileDiffusionSampler(decoder, { ...config(steps), method: { kind: "ddim", eta } })
            return yield* decodeLatents(sampler, params, { ...latents, embedding: changed }, at, keyFromSeed(i))
          }),
        )
        return made.map(({ data }) => Float32Array.from(data))
      }),
    ),
  )
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a).toHaveLength(b.length)
  return Array.from(a).reduce((top, x, i) => Math.max(top, Math.abs(x - b[i]!)), 0)
}

describe("an image as a pair", () => {
  test("comes back with η = 0, the better the more steps there are, whatever the key", async () => {
    const [few, many] = [await there(100, [0, 0]), await there(400, [0])]
    expect(worst(few[0]!, few[1]!)).toBe(0)
    const [coarse, fine] = [worst(few[0]!, images.data), worst(many[0]!, images.data)]
    expect(fine).toBeLessThan(0.03)
    expect(coarse / fine).toBeGreaterThan(2)
  })

  test("has variations with η > 0: others for another key, and around the same mean", async () => {
    const [one, other] = await there(100, [1, 1])
    expect(worst(one!, other!)).toBeGreaterThan(0.1)
    expect(worst(one!, images.data)).toBeGreaterThan(0.1)
    expect(worst(one!, images.data)).toBeLessThan(8 * s)
  })

  test("moves with its embedding and keeps the rest in its noise", async () => {
    const [moved] = await there(
      400,
      [0],
      float32(
        [n, 2],
        embedding.data.map((x) => x + 2),
      ),
    )
    expect(
      worst(
        moved!,
        images.data.map((x) => x + 2),
      ),
    ).toBeLessThan(0.06)
  })
})

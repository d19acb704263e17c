/** The stages of unCLIP on synthetic images and embeddings, with a CLIP that has learnt nothing where one is needed. */
import {
  adamW,
  flatten,
  float32,
  initParams,
  isParamSpec,
  keyFromSeed,
  type ParamSpec,
  random,
  split,
} from "@millrace/core"
import { type ClipConfig, clipParams, trainBpe } from "@millrace/models"
import {
  type ClipModel,
  type DecoderStageConfig,
  decoderStage,
  type EmbeddedSet,
  type Embeddings,
  embeddingsStage,
  evaluatePriorStage,
  openImageMaker,
  type PriorStageConfig,
  type UpsamplerStageConfig,
  unclipPriorStage,
  upsamplerStage,
} from "@millrace/pipelines"
import { Effect } from "effect"
import { beforeAll, describe, expect, test } from "vitest"
import { shapeImages } from "./images.js"
import { stageRunner } from "./onStage.js"

const on = stageRunner()
const size = 16
const images = shapeImages(size, 6)
const cosine = (peak: number) => ({ kind: "cosine", peak, warmup: 5, floor: 0.1 }) as const
const training = (steps: number, peak: number) =>
  ({ steps, schedule: cosine(peak), optimizer: { ...adamW, weightDecay: 0 }, clip: 1 }) as const

let clip: ClipModel
beforeAll(async () => {
  const read = await Effect.runPromise(images.train.read([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
  const tokenizer = await Effect.runPromise(
    trainBpe(
      read.flatMap(({ captions }) => captions),
      { vocab: 280 },
    ),
  )
  const config: ClipConfig = {
    joint: 16,
    image: { kind: "vit", size, patch: 8, width: 16, layers: 1, heads: 2 },
    text: { vocab: tokenizer.size, context: 12, width: 16, layers: 1, heads: 2 },
  }
  clip = { config, params: initParams(flatten<ParamSpec>(clipParams(config), isParamSpec), keyFromSeed(3)), tokenizer }
})

const lengths = (data: ArrayLike<number>, c: number): ReadonlyArray<number> =>
  Array.from({ length: data.length / c }, (_, i) => Math.hypot(...Array.from(data).slice(i * c, (i + 1) * c)))

test("embeddings are of length 1, each image has its own captions, and a part is a part of all", async () => {
  const all = await on(embeddingsStage({ train: 1000, heldOut: 1000 }).run({ images, clip }))
  const part = await on(embeddingsStage({ train: 10, heldOut: 4 }).run({ images, clip }))
  const { train } = all.result
  expect(train.indices).toHaveLength(images.train.count)
  for (const length of [...lengths(train.image.data, 16), ...lengths(train.text.data, 16)])
    expect(length).toBeCloseTo(1, 5)
  const read = await Effect.runPromise(images.train.read([...train.indices]))
  for (const [i, { captions }] of read.entries()) {
    expect(train.captions.slice(train.first[i], train.first[i + 1])).toEqual(captions)
  }
  expect(new Set(part.result.train.indices).size).toBe(10)
  for (const [i, at] of part.result.train.indices.entries()) {
    for (let j = 0; j < 16; j++) {
      expect(part.result.train.image.data[i * 16 + j]).toBeCloseTo(train.image.data[at * 16 + j]!, 5)
    }
  }
})

/**
 * Embeddings of six kinds. Captions' lie in the first half of the space and images' in the second, turned, with a little noise:
 * a caption's own embedding says nothing of where its images are.
 */
const apart = (name: string, n: number, c: number): EmbeddedSet => {
  const key = split(keyFromSeed("apart"), name)
  const half = c / 2
  const matrix = random.normal(keyFromSeed("matrix"), [half, half]).data
  const [text, image] = [new Float32Array(n * c), new Float32Array(n * c)]
  const unit = (row: Float32Array): Float32Array => {
    const length = Math.hypot(...row)
    return row.map((x) => x / length)
  }
  const kinds = random.integers(split(key, "kinds"), [n], 0, 6).data
  const noise = random.normal(split(key, "noise"), [n, c]).data
  for (let i = 0; i < n; i++) {
    const of = unit(random.normal(split(keyFromSeed("kind"), kinds[i]!), [half]).data)
    const moved = Float32Array.from({ length: c }, (_, j) => 0.1 * noise[i * c + j]!)
    for (let j = 0; j < half; j++) for (let k = 0; k < half; k++) moved[half + j]! += matrix[j * half + k]! * of[k]!
    text.set(of, i * c)
    image.set(unit(moved), i * c)
  }
  return {
    indices: Int32Array.from({ length: n }, (_, i) => i),
    image: float32([n, c], image),
    captions: Array.from({ length: n }, (_, i) => ["a", "b", "c", "d", "e", "f"][kinds[i]!]!),
    text: float32([n, c], text),
    first: Int32Array.from({ length: n + 1 }, (_, i) => i),
  }
}

describe.each(["diffusion", "autoregressive"] as const)("the %s prior", (kind) => {
  const config: PriorStageConfig = {
    kind,
    model: { context: 4, width: 32, layers: 1, heads: 2, dropped: "learned" },
    drop: 0.1,
    diffusion: { schedule: { kind: "cosine", steps: 100 }, scale: { kind: "statistics" } },
    autoregressive: { codes: 6, buckets: 16, dotBuckets: 4 },
    batch: 32,
    fit: { ...training(120, 6e-3), average: { decay: 0.97, start: "zero" } },
  }
  const embeddings: Embeddings = { train: apart("train", 256, 8), heldOut: apart("held out", 64, 8) }
  const sampling = { guidance: 1, candidates: 2, steps: 20, batch: 32 }

  test("comes closer to the images of held-out captions than the captions do, and is the same in every run", async () => {
    const run = () => on(unclipPriorStage(config).run({ embeddings, clip }))
    const [{ result: prior }, { result: again }] = [await run(), await run()]
    expect(again.params).toEqual(prior.params)
    const { result, events } = await on(evaluatePriorStage({ captions: 64, sampling }).run({ prior, embeddings, clip }))
    const { metrics } = result
    expect(metrics["prior.cosine"]).toBeGreaterThan(0.8)
    expect(metrics["prior.cosineLow"]).toBeGreaterThan(metrics["text.cosineHigh"]!)
    expect(metrics.gainLow).toBeGreaterThan(0)
    expect(metrics.gain).toBeCloseTo(metrics["prior.cosine"]! - metrics["text.cosine"]!, 6)
    expect(events.some(({ type }) => type === "stage.table")).toBe(true)
  })
})

/** Embeddings that tell the colour and nothing else; images of that colour alone. */
const colours = [
  [230, 30, 30],
  [30, 200, 30],
  [30, 30, 230],
] as const
const flat = (count: number) => ({
  count,
  classes: [],
  digest: `flat ${count}`,
  read: (indices: ReadonlyArray<number>) =>
    Effect.succeed(
      indices.map((i) => ({
        name: `${i}`,
        pixels: Uint8Array.from({ length: size * size * 3 }, (_, j) => colours[i % 3]![j % 3]!),
        captions: ["a"],
      })),
    ),
})
const told = (n: number): EmbeddedSet => ({
  indices: Int32Array.from({ length: n }, (_, i) => i),
  image: float32(
    [n, 3],
    Array.from({ length: n * 3 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0)),
  ),
  captions: Array.from({ length: n }, () => "a"),
  text: float32([n, 3], new Float32Array(n * 3).fill(Math.sqrt(1 / 3))),
  first: Int32Array.from({ length: n + 1 }, (_, i) => i),
})

const unet = { size: 8, width: 8, multipliers: [1, 2], blocks: 1, attention: [4], headWidth: 8, groups: 4 }
const diffusion = {
  schedule: { kind: "cosine", steps: 100 },
  parametrisation: "velocity",
  variance: "learned-range",
} as const

test("a decoder and an upsampler make images of what an embedding says, and show them on the way", async () => {
  const plain = { source: "flat", size, train: flat(12), heldOut: flat(6) }
  const embeddings = { train: told(12), heldOut: told(6) }
  const decoder: DecoderStageConfig = {
    model: { unet, text: { context: 4, width: 16, layers: 1, heads: 2 }, tokens: 2, dropped: "learned" },
    diffusion,
    loss: "hybrid",
    drops: { caption: 0.5, embedding: 0.1 },
    batch: 12,
    fit: { ...training(80, 8e-3), average: { decay: 0.95, start: "zero" } },
    watch: { every: 40, images: 4, steps: 5, guidance: 2 },
  }
  const upsampler: UpsamplerStageConfig = {
    from: 8,
    model: { unet: { ...unet, size, attention: [], middleAttention: false }, resize: "bilinear" },
    diffusion,
    loss: "simple",
    corruption: { kind: "blur", taps: 3, sigma: 0.6 },
    crop: 0.5,
    batch: 12,
    fit: training(50, 8e-3),
    watch: { every: 50, images: 3, steps: 4 },
  }
  const trained = await on(decoderStage(decoder).run({ images: plain, embeddings, clip }))
  const enlarging = await on(upsamplerStage(upsampler).run({ images: plain, embeddings }))
  const steps = [...trained.events, ...enlarging.events].flatMap((e) => (e.type === "stage.images" ? [e.step] : []))
  expect(steps).toEqual([0, 40, 80, 0, 50])
  const { result: made } = await on(
    Effect.gen(function* () {
      const { make } = yield* openImageMaker(trained.result, enlarging.result, {
        decoder: { guidance: 1.5, steps: 10, eta: 0, batch: 4 },
        upsampler: { steps: 5, batch: 4 },
      })
      return yield* make({ embedding: told(6).image }, keyFromSeed(5))
    }),
  )
  for (const [i, pixels] of made.entries()) {
    const mean = [0, 1, 2].map((c) => {
      const channel = pixels.filter((_, j) => j % 3 === c)
      return channel.reduce((sum, x) => sum + x, 0) / channel.length
    })
    const far = colours.map((colour) => Math.hypot(...colour.map((x, c) => x - mean[c]!)))
    expect(far.indexOf(Math.min(...far))).toBe(i % 3)
    expect(Math.min(...far)).toBeLessThan(60)
  }
})

import { adamW, keyFromSeed, split } from "@millrace/core"
import { clipPixels } from "@millrace/models"
import {
  type AugmentConfig,
  captionTokenizerStage,
  clipBatch,
  clipEmbedder,
  clipModelKind,
  clipTrainStage,
  writeAugmented,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { shapeImages } from "./images.js"
import { stageRunner } from "./onStage.js"

const on = stageRunner()
const size = 16
const images = shapeImages(size, 4)
const model = {
  joint: 16,
  image: { kind: "vit", size, patch: 4, width: 32, layers: 1, heads: 2 },
  text: { context: 8, width: 32, layers: 1, heads: 2 },
} as const
const training = {
  model,
  batch: 24,
  augment: { shift: 0.05, brightness: 0.1 },
  fit: {
    steps: 60,
    schedule: { kind: "cosine", peak: 3e-3, warmup: 5, floor: 0.1 },
    optimizer: adamW,
    clip: 1,
  },
} as const

const trained = Effect.gen(function* () {
  const tokenizer = yield* captionTokenizerStage({ vocab: 310 }).run({ images })
  return yield* clipTrainStage(training).run({ images, tokenizer })
})

test("training brings every image nearer to its own caption than to that of another shape, on images of another hand too", async () => {
  const { result, events } = await on(
    Effect.gen(function* () {
      const embedder = yield* clipEmbedder(yield* trained, 16)
      const set = images.shifted!
      const shown = yield* set.read(Array.from({ length: set.classes.length }, (_, i) => i))
      const features = yield* embedder.images(shown.map(({ pixels }) => pixels))
      const texts = yield* embedder.texts(set.classes.map((name) => `a ${name}`))
      const { joint } = embedder
      const cosine = (i: number, k: number): number => {
        let sum = 0
        for (let j = 0; j < joint; j++) sum += features[i * joint + j]! * texts[k * joint + j]!
        return sum
      }
      return shown.map(({ class: own = 0 }, i) => {
        const order = set.classes.map((_, k) => k).sort((a, b) => cosine(i, b) - cosine(i, a))
        return order.indexOf(own)
      })
    }),
  )
  const losses = events.flatMap((event) => (event.type === "stage.step" ? [event.values.loss!] : []))
  expect(losses).toHaveLength(60)
  expect(losses[0]).toBeGreaterThan(2.5)
  expect(losses.at(-1)).toBeLessThan(losses[0]! - 1)
  const mean = result.reduce((sum, rank) => sum + rank, 0) / result.length
  expect(mean).toBeLessThan(3) // By chance 11.5.
})

test("features have length 1 and depend neither on the batch nor on what else is embedded", async () => {
  const { result } = await on(
    Effect.gen(function* () {
      const clip = yield* trained
      const shown = yield* images.heldOut.read([0, 1, 2, 3, 4])
      const pixels = shown.map((image) => image.pixels)
      const captions = shown.map((image) => image.captions[0]!)
      const [wide, narrow] = [yield* clipEmbedder(clip, 8), yield* clipEmbedder(clip, 2)]
      return [
        [yield* wide.images(pixels), yield* narrow.images(pixels), yield* wide.images(pixels.slice(4))],
        [yield* wide.texts(captions), yield* narrow.texts(captions), yield* wide.texts(captions.slice(4))],
      ]
    }),
  )
  for (const [wide, narrow, alone] of result) {
    expect(wide).toHaveLength(5 * 16)
    for (let i = 0; i < 5; i++) {
      const row = wide!.subarray(i * 16, (i + 1) * 16)
      expect(Math.hypot(...row)).toBeCloseTo(1, 5)
    }
    for (const [i, value] of wide!.entries()) expect(narrow![i]).toBeCloseTo(value, 5)
    for (const [i, value] of alone!.entries()) expect(wide![4 * 16 + i]).toBeCloseTo(value, 5)
  }
})

test("an image of another size is ShapeMismatch, and a data set of another size is BadConfig that names both", async () => {
  const { result } = await on(
    Effect.gen(function* () {
      const clip = yield* trained
      const embedder = yield* clipEmbedder(clip, 2)
      const image = yield* Effect.flip(embedder.images([new Uint8Array(size * size * 4)]))
      const other = { images: shapeImages(8, 2), tokenizer: clip.tokenizer }
      return { image, set: yield* Effect.flip(clipTrainStage(training).run(other)) }
    }),
  )
  expect(result.image).toMatchObject({ _tag: "ShapeMismatch", received: "one of 1024 bytes" })
  expect(result.set).toMatchObject({
    _tag: "BadConfig",
    received: "48 of 8 × 8",
    fix: expect.stringContaining("size 8"),
  })
})

test("one seed gives the same weights and files, another seed others", async () => {
  const digests = await Promise.all(
    [3, 3, 4].map(async (seed) => clipModelKind.files((await on(trained, seed)).result)["model.safetensors"]!.join()),
  )
  expect(digests[1]).toBe(digests[0])
  expect(digests[2]).not.toBe(digests[0])
})

const key = keyFromSeed(5)
const [image] = await Effect.runPromise(images.train.read([7]))
const augmented = (config: AugmentConfig, which = key, pixels = image!.pixels): Float32Array => {
  const out = new Float32Array(size * size * 3)
  writeAugmented(config, pixels, size, which, out, 0)
  return out
}
/** Bytes again. */
const bytes = (values: Float32Array): ReadonlyArray<number> =>
  Array.from(values, (value, i) => (value * clipPixels.std[i % 3]! + clipPixels.mean[i % 3]!) * 255)

test("an augmentation that may change nothing gives the image, whichever key it has", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const still = augmented({ shift: 0, turn: 0, brightness: 0, hue: 0 }, split(key, seed))
      for (const [i, value] of bytes(still).entries()) expect(value).toBeCloseTo(image!.pixels[i]!, 1)
    }),
  )
  for (const [i, value] of bytes(augmented({})).entries()) expect(value).toBeCloseTo(image!.pixels[i]!, 1)
})

test("two mirrorings are none, and a mirrored image has the rows of the image backwards", () => {
  const mirrored = bytes(augmented({ mirror: 1 }))
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [from, to] = [(y * size + x) * 3, (y * size + size - 1 - x) * 3]
      for (let c = 0; c < 3; c++) expect(mirrored[to + c]).toBeCloseTo(image!.pixels[from + c]!, 1)
    }
  }
})

test("without colour all channels are the luma; a turn of the hue and a change of saturation keep it", () => {
  const luma = (values: ReadonlyArray<number>, i: number) =>
    0.299 * values[i]! + 0.587 * values[i + 1]! + 0.114 * values[i + 2]!
  const soft = image!.pixels.map((byte) => 100 + byte / 6) // Far from black and white, where channels are cut.
  const grey = bytes(augmented({ grey: 1 }, key, soft))
  const turned = bytes(augmented({ hue: 40, saturation: 0.5 }, key, soft))
  let largest = 0
  for (let i = 0; i < soft.length; i += 3) {
    const own = luma([...soft], i)
    for (let c = 0; c < 3; c++) expect(grey[i + c]).toBeCloseTo(own, 1)
    expect(luma(turned, i)).toBeCloseTo(own, 1)
    largest = Math.max(largest, Math.abs(turned[i]! - soft[i]!))
  }
  expect(largest).toBeGreaterThan(1)
})

test("a flat image stays flat under every move, and its places stay within bytes under every change of colour", () => {
  const flat = new Uint8Array(size * size * 3).fill(200)
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const moved = bytes(augmented({ shift: 0.5, scale: [0.5, 2], turn: 180, mirror: 0.5 }, split(key, seed), flat))
      for (const value of moved) expect(value).toBeCloseTo(200, 1)
      const coloured = augmented({ brightness: 1, contrast: 1, saturation: 1, hue: 180 }, split(key, seed))
      for (const value of bytes(coloured)) expect(value > -0.1 && value < 255.1).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test("a batch is a function of key and step: an epoch has every image once, with one of its own captions", async () => {
  const { result: tokenizer } = await on(captionTokenizerStage({ vocab: 310 }).run({ images }))
  const batches = { set: images.train, size, tokenizer, context: 8, batch: 24, augment: {} }
  const [first, again, second] = await Effect.runPromise(
    Effect.all([clipBatch(batches, key, 0), clipBatch(batches, key, 0), clipBatch(batches, key, 1)]),
  )
  expect(again).toEqual(first)
  expect(second).not.toEqual(first)
  const seen = new Set<string>()
  for (let step = 0; step < 4; step++) {
    const { pixels } = await Effect.runPromise(clipBatch(batches, key, step))
    for (let i = 0; i < 24; i++) seen.add(pixels!.data.subarray(i * size * size * 3, (i + 1) * size * size * 3).join())
  }
  expect(seen.size).toBe(images.train.count)
})

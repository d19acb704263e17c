/** What the stages of unCLIP are made of: laws and oracles. */
import {
  decodeGraph,
  Engines,
  encodeGraph,
  float32,
  graphHash,
  keyFromSeed,
  random,
  registry,
  split,
} from "@millrace/core"
import { autoregressivePriorPresets, decoderPresets, priorPresets, trainBpe, upsamplerPresets } from "@millrace/models"
import {
  between,
  captionedRows,
  captionInputs,
  codePriorConfig,
  dalle2,
  dalle2Presets,
  dalle2Stages,
  decoderConfigOf,
  diffusionPriorConfig,
  distinctImages,
  type EmbeddedSet,
  enlarged,
  type ImageSet,
  pickCaptions,
  pickImages,
  ranks,
  rowCosines,
  share,
  sharesTo,
  signedBatch,
  signedBytes,
  turned,
  upsamplerConfigOf,
} from "@millrace/pipelines"
import { Effect, ManagedRuntime } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { shapeImages, shapesStage } from "./images.js"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 1 }))
afterAll(() => runtime.dispose())

const normal = (name: string, shape: readonly [number, number]) =>
  float32(shape, random.normal(split(keyFromSeed("parts"), name), shape).data)
const units = (name: string, n: number, c: number) => {
  const { data } = normal(name, [n, c])
  const rows = Array.from({ length: n }, (_, i) => Array.from(data.slice(i * c, (i + 1) * c)))
  return float32(
    [n, c],
    rows.flatMap((row) => row.map((x) => x / Math.hypot(...row))),
  )
}

test("the mask of a caption is 1 up to its end of text and 0 after it, whatever the caption", async () => {
  const tokenizer = await Effect.runPromise(trainBpe(["a red cat on a mat", "the cat sat"], { vocab: 259 }))
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 4 }), (captions) => {
      const { text, mask } = captionInputs(tokenizer, captions, 8)
      for (let row = 0; row < captions.length; row++) {
        const tokens = Array.from(text.data.slice(row * 8, row * 8 + 8))
        const end = tokens.indexOf(tokenizer.endOfText)
        expect(end).toBeGreaterThanOrEqual(0)
        expect(Array.from(mask.data.slice(row * 8, row * 8 + 8))).toEqual(tokens.map((_, i) => (i <= end ? 1 : 0)))
      }
    }),
  )
})

test("every image is met once an epoch, each time with a caption of its own", () => {
  const first = Int32Array.from([0, 2, 3, 7, 8, 12])
  const set: EmbeddedSet = {
    indices: Int32Array.from([0, 1, 2, 3, 4]),
    image: normal("image", [5, 2]),
    captions: Array.from({ length: 12 }, (_, i) => `${i}`),
    text: normal("text", [12, 2]),
    first,
  }
  const met = new Set<number>()
  const images = Array.from({ length: 20 }, (_, step) => {
    const rows = captionedRows(set, 3, keyFromSeed(4), step)
    for (const [i, image] of rows.images.entries()) {
      expect(rows.captions[i]).toBeGreaterThanOrEqual(first[image]!)
      expect(rows.captions[i]).toBeLessThan(first[image + 1]!)
      met.add(rows.captions[i]!)
    }
    return rows.images
  }).flat()
  for (let epoch = 0; epoch < 12; epoch++) expect(new Set(images.slice(epoch * 5, epoch * 5 + 5)).size).toBe(5)
  expect(met.size).toBe(12)
})

test("captions that are picked are all different and go with their image; images are picked evenly, all where fewer are there", () => {
  const set: EmbeddedSet = {
    indices: Int32Array.from([0, 1, 2, 3, 4, 5]),
    image: normal("image", [6, 2]),
    captions: ["a", "b", "a", "c", "d", "a", "b"],
    text: normal("text", [7, 2]),
    first: Int32Array.from([0, 1, 2, 3, 4, 6, 7]),
  }
  const captions = pickCaptions(set, 10)
  expect(captions.captions).toEqual(["a", "b", "c", "d"])
  expect(captions.rows).toEqual([0, 1, 3, 4])
  expect(Array.from(captions.text.data.slice(6, 8))).toEqual(Array.from(set.text.data.slice(8, 10)))
  expect(Array.from(captions.image.data.slice(6, 8))).toEqual(Array.from(set.image.data.slice(8, 10)))
  expect(pickImages(set, 3).rows).toEqual([0, 2, 4])
  expect(pickImages(set, 3).captions).toEqual(["a", "a", "d"])
  expect(pickImages(set, 10).rows).toEqual([0, 1, 2, 3, 4, 5])
})

describe("embeddings compared", () => {
  const [a, b] = [units("a", 12, 5), units("b", 12, 5)]
  const row = ({ data }: typeof a, i: number) => Array.from(data.slice(i * 5, i * 5 + 5))
  const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>) => x.reduce((sum, v, i) => sum + v * y[i]!, 0)

  test("ranks are those of all candidates sorted by their dot products", () => {
    const expected = Array.from({ length: 12 }, (_, i) => {
      const order = Array.from({ length: 12 }, (__, j) => j).sort(
        (j, k) => dot(row(a, i), row(b, k)) - dot(row(a, i), row(b, j)),
      )
      return order.indexOf(i)
    })
    expect(ranks(a, b)).toEqual(expected)
    expect(ranks(b, b)).toEqual(Array.from({ length: 12 }, () => 0))
  })

  test("an embedding that all candidates share finds nothing", () => {
    const same = float32([3, 2], [1, 0, 1, 0, 1, 0])
    expect(ranks(same, same)).toEqual([2, 2, 2])
  })

  test("cosines do not see the lengths of rows", () => {
    const long = float32(
      [12, 5],
      a.data.map((x) => 7 * x),
    )
    const [short, far] = [rowCosines(a, b), rowCosines(long, b)]
    for (const [i, cosine] of short.entries()) {
      expect(cosine).toBeCloseTo(dot(row(a, i), row(b, i)), 5)
      expect(far[i]).toBeCloseTo(cosine, 5)
    }
  })
})

test("a share's interval is Wilson's, and stays within 0 and 1", () => {
  const { low, high } = share(10, 100)
  expect(low).toBeCloseTo(0.0552, 3) // Wilson 1927, as statsmodels' proportion_confint gives it.
  expect(high).toBeCloseTo(0.1744, 3)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, p) => {
      const hits = Math.round(p * trials)
      const { mean, low, high } = share(hits, trials)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      expect(low).toBeLessThanOrEqual(mean)
      expect(high).toBeGreaterThanOrEqual(mean)
    }),
  )
})

test("images as batches and back are the same bytes; smaller ones keep their mean, enlarged ones come back", () => {
  const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256)
  expect(signedBytes(signedBatch([pixels, pixels], 8, 8))).toEqual([pixels, pixels])
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, v) => sum + v, 0) / x.length
  expect(mean(signedBatch([pixels], 8, 2).data)).toBeCloseTo(mean(signedBatch([pixels], 8, 8).data), 5)
  const large = enlarged(pixels, 8, 24)
  expect(signedBytes(signedBatch([large], 24, 8))).toEqual([pixels])
})

test("of images those are kept whose pixels none before has", async () => {
  const base = shapeImages(8).heldOut
  const set: ImageSet = { ...base, read: (indices) => base.read(indices.map((i) => i % 3)) }
  expect([...(await Effect.runPromise(distinctImages(set, Int32Array.from([4, 7, 5, 0, 1, 2, 3]))))]).toEqual([4, 5, 0])
})

describe("latents at shares of a way", () => {
  const a = { embedding: units("first", 2, 6), noise: float32([2, 2, 2, 3], normal("noise", [2, 12]).data) }
  const b = { embedding: units("second", 2, 6), noise: float32([2, 2, 2, 3], normal("other", [2, 12]).data) }
  const close = (x: ArrayLike<number>, y: ArrayLike<number>) => {
    for (let i = 0; i < y.length; i++) expect(x[i]).toBeCloseTo(y[i]!, 4)
  }

  test("begin as the first pair and end as the second, row by row", async () => {
    const shares = sharesTo(1, 3)
    expect(shares).toEqual([0, 0.5, 1])
    const { embedding, noise } = await runtime.runPromise(between(a, b, shares))
    for (const i of [0, 1]) {
      const at = (x: ArrayLike<number>, step: number, size: number) =>
        Array.from(x).slice((i * 3 + step) * size, (i * 3 + step + 1) * size)
      close(at(embedding.data, 0, 6), Array.from(a.embedding.data).slice(i * 6, i * 6 + 6))
      close(at(embedding.data, 2, 6), Array.from(b.embedding.data).slice(i * 6, i * 6 + 6))
      close(at(noise.data, 0, 12), Array.from(a.noise.data).slice(i * 12, i * 12 + 12))
      close(at(noise.data, 2, 12), Array.from(b.noise.data).slice(i * 12, i * 12 + 12))
      expect(Math.hypot(...at(embedding.data, 1, 6))).toBeCloseTo(1, 4)
    }
  })

  test("turn from an image towards what two captions differ in, and keep its noise", async () => {
    const [text, base] = [units("text", 2, 6), units("base", 2, 6)]
    const { embedding, noise } = await runtime.runPromise(turned(a, text, base, [0, 1]))
    for (const i of [0, 1]) {
      const row = (x: ArrayLike<number>, at: number) => Array.from(x).slice(at * 6, at * 6 + 6)
      close(row(embedding.data, 2 * i), row(a.embedding.data, i))
      const away = row(text.data, i).map((x, j) => x - row(base.data, i)[j]!)
      close(
        row(embedding.data, 2 * i + 1),
        away.map((x) => x / Math.hypot(...away)),
      )
      close(
        Array.from(noise.data).slice(2 * i * 12, 2 * i * 12 + 12),
        Array.from(a.noise.data).slice(i * 12, i * 12 + 12),
      )
    }
  })
})

test("the graph is the same after JSON, with its stages' types alone", async () => {
  const graph = dalle2(dalle2Presets.tiny, shapesStage({ size: 16, perKind: 1 }))
  const types = registry([...dalle2Stages, shapesStage])
  const again = await Effect.runPromise(decodeGraph(encodeGraph(graph), types))
  expect(graphHash(again)).toBe(graphHash(graph))
})

test("the paper's sizes are those of the models' presets, and the whole graph encodes", () => {
  const { paper } = dalle2Presets
  const [joint, vocab] = [paper.clip.model.joint, paper.tokenizer.vocab]
  const decoder = decoderConfigOf(paper.decoder.model, joint, vocab)
  expect(decoder).toEqual({
    ...decoderPresets.unclip,
    unet: { ...decoderPresets.unclip.unet },
    image: { width: 1024, tokens: 4, dropped: "learned" },
  })
  expect(upsamplerConfigOf(paper.upsampler.model)).toEqual({ ...upsamplerPresets["unclip-256"], resize: "bilinear" })
  expect(diffusionPriorConfig(paper.prior, joint, vocab)).toEqual(priorPresets.unclip)
  const { codes, buckets } = codePriorConfig(paper.prior, joint, vocab)
  expect([codes, buckets]).toEqual([autoregressivePriorPresets.unclip.codes, autoregressivePriorPresets.unclip.buckets])
  expect(encodeGraph(dalle2(paper, shapesStage({ size: 256, perKind: 1 }))).nodes).toHaveLength(13)
})

import { adamW, flatten, type HostTensors, initParams, isParamSpec, keyFromSeed, type StageEvent } from "@millrace/core"
import { type DvaeConfig, dvaeDecoderParams, dvaeEncoderParams } from "@millrace/models"
import {
  type CaptionedImages,
  captionTokenizerStage,
  codesStage,
  judgeStage,
  priorStage,
  rankAll,
  sampleStage,
  soften,
} from "@millrace/pipelines"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { stageRunner } from "./onStage.js"
import { patchImages } from "./patches.js"

const on = stageRunner()
const images = patchImages(16)
const fit = (steps: number) => ({
  steps,
  schedule: { kind: "constant", peak: 5e-3, warmup: 0, floor: 1 } as const,
  optimizer: { ...adamW, weightDecay: 0 },
  clip: 1,
})

const config: DvaeConfig = { vocab: 12, rows: 4, columns: 4, groups: 3, blocks: 1, width: 8, first: 16 }
const specs = flatten({ encoder: dvaeEncoderParams(config), decoder: dvaeDecoderParams(config) }, isParamSpec)
const params: HostTensors = initParams(specs as Parameters<typeof initParams>[0], keyFromSeed(3))
const dvae = { config, params }

const rowsOf = (events: ReadonlyArray<StageEvent>) =>
  events.flatMap((event) => (event.type === "stage.table" ? event.rows : []))

test("an image's codes do not depend on how many are encoded at a time, and captions stay with their images", async () => {
  const { result: one } = await on(codesStage({ batch: 5 }).run({ images, dvae }))
  const { result: other } = await on(codesStage({ batch: 64 }).run({ images, dvae }))
  expect(one).toEqual(other)
  expect(one.train.codes).toHaveLength(64 * 16)
  expect(Math.max(...one.train.codes)).toBeLessThan(12)
  expect(one.heldOut.captions[1]).toEqual(["a red window", "red window"])
})

const prior = (steps: number, changed: Partial<Parameters<typeof priorStage>[0]> = {}) =>
  Effect.gen(function* () {
    const tokenizer = yield* captionTokenizerStage({ vocab: 270 }).run({ images })
    const codes = yield* codesStage({ batch: 64 }).run({ images, dvae })
    const stage = priorStage({
      model: { text: 20, width: 32, layers: 2, heads: 2, kernel: 3 },
      batch: 16,
      dropout: 0.1,
      pads: "counted",
      fit: fit(steps),
      watch: { every: 1000, captions: 2 },
      evaluate: 16,
      ...changed,
    })
    return { tokenizer, prior: yield* stage.run({ codes, dvae, tokenizer }) }
  })

test("the prior learns: both cross-entropies on held-out images fall to less than half of those of guessing", async () => {
  const { events } = await on(prior(120))
  for (const [, loss, guessing] of rowsOf(events)) expect(Number(loss)).toBeLessThan(Number(guessing) / 2)
  const shown = events.flatMap((event) => (event.type === "stage.images" ? [event] : []))
  expect(shown.map(({ step, texts }) => [step, texts])).toEqual([
    [0, ["a red door", "a red door"]],
    [120, ["a red door", "a red door"]],
  ])
})

test("candidates depend on their caption's place and the seed, and not on how many are drawn at a time", async () => {
  const drawn = (batch: number, seed: number) =>
    on(
      Effect.gen(function* () {
        const made = yield* prior(0)
        const stage = sampleStage({
          train: 0,
          heldOut: 2,
          having: { object: 3, weather: 2 },
          captions: ["a blue door"],
          candidates: 2,
          fewer: true,
          temperature: 1,
          batch,
        })
        return yield* stage.run({ ...made, dvae, images })
      }),
      seed,
    )
  const { result } = await drawn(2, 1)
  expect(Object.keys(result.groups)).toEqual(["held out", "train with object", "given"])
  expect(result.groups["held out"]!.map(({ request }) => request)).toEqual([
    { caption: "a red door", facts: { colour: "red", object: "door" } },
    { caption: "a red door", facts: { colour: "red", object: "door" } },
  ])
  expect((await drawn(2, 1)).result).toEqual(result)
  expect((await drawn(2, 2)).result).not.toEqual(result)
  expect(result.groups["train with object"]!.map(({ candidates, fewer }) => [candidates.length, fewer.length])).toEqual(
    [
      [2, 1],
      [2, 1],
      [2, 1],
    ],
  )
  for (const { candidates, fewer } of result.groups.given!) {
    // The best of one is measured on an image of its own.
    for (const { pixels } of candidates) expect(fewer[0]![0]!.pixels).not.toEqual(pixels)
    for (const { logProb, pixels } of candidates) {
      expect(logProb).toBeLessThan(0)
      expect(pixels).toHaveLength(16 * 16 * 3)
    }
  }
})

test("a ranking shows candidates best first, of equal ones the first drawn, and keeps the order of drawing", async () => {
  const pixels = (grey: number) => new Uint8Array(3).fill(grey)
  const candidates = [0.5, 0.9, 0.5].map((score, i) => ({ pixels: pixels(i), logProb: score }))
  const fewer = [[{ pixels: pixels(3), logProb: 0.7 }], [0.1, 0.2].map((logProb) => ({ pixels: pixels(4), logProb }))]
  const groups = { given: [{ request: { caption: "any" }, candidates, fewer }] }
  const { result, events } = await on(
    rankAll({ size: 1, groups }, "test", (row) => Effect.succeed(row.candidates.map(({ logProb }) => logProb)), 1),
  )
  expect(result.groups.given![0]).toMatchObject({ scores: [0.5, 0.9, 0.5], fewerScores: [[0.7], [0.1, 0.2]] })
  const [grid] = events.flatMap((event) => (event.type === "stage.images" ? [event] : []))
  expect(grid!.texts).toEqual(["0.900", "0.500", "0.500"])
})

const judge = judgeStage({
  model: { widths: [8, 16], hidden: 32 },
  inverses: { right: "left" },
  batch: 16,
  fit: { ...fit(120), schedule: { kind: "cosine", peak: 3e-3, warmup: 10, floor: 0.1 } },
  softest: 1,
  gather: 64,
  evaluate: 16,
})

test("a judge comes to know colours and objects of held-out images, and its verdicts have the form of what is expected", async () => {
  const { result, events } = await on(
    Effect.gen(function* () {
      const made = yield* judge.run({ images })
      const tell = yield* made.open()
      const [image] = yield* images.heldOut.read([3])
      return { made, image: image!, verdicts: yield* tell([image!.pixels]) }
    }),
  )
  expect(rowsOf(events)).toEqual([
    ["colour", 4, "100.0 %"],
    ["object", 2, "100.0 %"],
  ])
  expect(result.verdicts).toEqual([result.made.expected(result.image.facts!)])
  expect(result.made.expected({})).toEqual({ colour: "none", object: "none" })
})

test("images without facts are BadData before a judge trains", async () => {
  const bare: CaptionedImages = {
    ...images,
    train: {
      ...images.train,
      read: (indices) => Effect.map(images.train.read(indices), (rows) => rows.map(({ facts: _, ...image }) => image)),
    },
  }
  const { result, events } = await on(Effect.flip(judge.run({ images: bare })))
  expect(result).toMatchObject({ _tag: "BadData", received: expect.stringContaining("without facts") })
  expect(events).toEqual([])
})

test("softening spreads a point over its neighbours, one ring each time, and leaves a plain image and the given one as they are", () => {
  const size = 7
  const point = new Uint8Array(size * size * 3)
  point.set([243, 0, 0], (3 * size + 3) * 3)
  const kept = point.slice()
  const lit = (times: number) => {
    const soft = soften(point, size, times)
    return Array.from({ length: size * size }, (_, i) => soft[i * 3]!)
  }
  expect(lit(0)).toEqual(Array.from({ length: 49 }, (_, i) => (i === 24 ? 243 : 0)))
  expect(lit(1).filter((value) => value > 0)).toEqual(Array.from({ length: 9 }, () => 27))
  expect(lit(2).filter((value) => value > 0)).toHaveLength(25)
  expect(lit(2)[24]).toBe(27)
  expect(point).toEqual(kept)
  expect(soften(new Uint8Array(75).fill(200), 5, 3)).toEqual(new Uint8Array(75).fill(200))
})

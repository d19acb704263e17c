import { adamW, type StageEvent } from "@millrace/core"
import { codebookUse, dvaeStage, peakSignalToNoise } from "@millrace/pipelines"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { stageRunner } from "./onStage.js"
import { patchImages } from "./patches.js"

const on = stageRunner()
const images = patchImages()

const config = (steps: number): Parameters<typeof dvaeStage>[0] => ({
  model: { vocab: 16, groups: 2, blocks: 1, width: 16, first: 16 },
  batch: 8,
  temperature: { from: 1, to: 1 / 8, updates: 200 },
  beta: { from: 1.65, to: 1.65, updates: 1 },
  leastLogWidth: -0.5,
  fit: {
    steps,
    schedule: { kind: "cosine", peak: 1e-2, warmup: 10, floor: 0.1 },
    optimizer: { ...adamW, weightDecay: 0 },
    clip: 1,
  },
  watch: { every: 60, images: 4 },
  evaluate: 16,
})

const tableOf = (events: ReadonlyArray<StageEvent>) => {
  const table = events.flatMap((event) => (event.type === "stage.table" ? [event] : []))[0]!
  return table.rows.map((row) => Object.fromEntries(table.columns.map((name, i) => [name, row[i]!])))
}

test("the codes of images come to carry them: the error on held-out images falls far below that of no training", async () => {
  const before = tableOf((await on(dvaeStage(config(0)).run({ images }))).events)
  const { result, events } = await on(dvaeStage(config(240)).run({ images }))
  const after = tableOf(events)
  expect(after.map(({ images }) => images)).toEqual(["train", "held out"])
  expect(result.config).toMatchObject({ rows: 4, columns: 4, vocab: 16 })
  const [first, last] = [before[1]!, after[1]!].map((row) => Number(row["PSNR, dB"]))
  expect(first).toBeLessThan(10)
  expect(last).toBeGreaterThan(15)
  const shown = events.flatMap((event) => (event.type === "stage.images" ? [event] : []))
  expect(shown.map(({ step, columns }) => [step, columns])).toEqual([
    [0, 4],
    [60, 4],
    [120, 4],
    [180, 4],
    [240, 4],
  ])
})

test("the same seed trains the same weights, another seed others", async () => {
  const weights = async (seed: number) => {
    const { result } = await on(dvaeStage(config(4)).run({ images }), seed)
    return result.params["decoder.output.weight"]!.data
  }
  const first = await weights(1)
  expect(await weights(1)).toEqual(first)
  expect(await weights(2)).not.toEqual(first)
})

test("images whose side the groups do not divide are BadConfig before anything trains", async () => {
  const { result, events } = await on(
    Effect.flip(dvaeStage({ ...config(4), model: { ...config(4).model, groups: 5 } }).run({ images })),
  )
  expect(result).toMatchObject({ _tag: "BadConfig", expected: expect.stringContaining("multiple of 16") })
  expect(events).toEqual([])
})

test("codes that are all used alike have the perplexity of their number, one code alone that of 1", () => {
  const alike = Array.from({ length: 40 }, (_, i) => i % 5)
  expect(codebookUse(alike, 8).perplexity).toBeCloseTo(5, 10)
  expect(codebookUse(alike, 8).share).toBe(5 / 8)
  expect(codebookUse([3, 3, 3], 8)).toEqual({ share: 1 / 8, perplexity: 1 })
  const uneven = codebookUse([0, 0, 0, 1], 4)
  expect(uneven.perplexity).toBeGreaterThan(1)
  expect(uneven.perplexity).toBeLessThan(2)
})

test("a tenth of the squared error is 10 dB more", () => {
  expect(peakSignalToNoise(0.01)).toBeCloseTo(20, 10)
  expect(peakSignalToNoise(0.003) - peakSignalToNoise(0.03)).toBeCloseTo(10, 10)
})

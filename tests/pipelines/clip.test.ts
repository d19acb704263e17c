import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  decodeEvents,
  Engines,
  encodeGraph,
  type RecordedRun,
  recordRun,
  type StampedEvent,
  stageNames,
} from "@millrace/core"
import { clipPresets } from "@millrace/models"
import { type ClipPipelineConfig, clip, clipPaper, clipPipelinePresets } from "@millrace/pipelines"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { shapesStage } from "./images.js"
import { readAgain } from "./readAgain.js"

const { tiny } = clipPipelinePresets
const config: ClipPipelineConfig = {
  ...tiny,
  train: { ...tiny.train, batch: 24, part: 8 },
  search: { ...tiny.search, texts: ["red circle"] },
}
const graph = clip(config, shapesStage({ size: 32, perKind: 4 }))

let root = ""
const runs: Array<RecordedRun> = []
let events: ReadonlyArray<StampedEvent> = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-clip-"))
  for (const seed of [1, 1, 2]) {
    const run = recordRun(graph, { root, seed })
    runs.push(await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx", { threads: 1 })))))
  }
  events = decodeEvents(await readFile(join(runs[0]!.folder.path, "events.jsonl"), "utf8"))
})
afterAll(() => rm(root, { recursive: true }))

const out = async (stage: string, file: string): Promise<string> =>
  readFile(join(runs[0]!.folder.path, "artifacts", stage, "out", file), "utf8")

test("the tiny recipe runs to its end, and one seed gives the same bytes of every artifact, another seed other weights", () => {
  expect(events.at(-1)).toMatchObject({ type: "run.ended", status: "done" })
  expect(Object.keys(runs[0]!.digests)).toEqual(stageNames(graph))
  expect(runs[1]!.digests).toEqual(runs[0]!.digests)
  expect(runs[2]!.digests.train).not.toEqual(runs[0]!.digests.train)
})

test("training shows what it finds for each text before the first step, on the way and after the last", () => {
  const shown = events.flatMap((event) => (event.type === "stage.images" && event.stage === "train" ? [event] : []))
  expect(shown.map(({ step }) => step)).toEqual([0, 10, 20])
  for (const { rowNames, columns, texts } of shown) {
    expect(rowNames).toEqual(config.train.watch!.queries)
    expect(texts).toHaveLength(rowNames.length * columns)
  }
})

test("training tells the measures of each look as a table that grows, a curve of percentages over steps", () => {
  const told = events.flatMap((event) => (event.type === "stage.table" && event.stage === "train" ? [event] : []))
  expect(told.map(({ rows }) => rows.map(([step]) => step))).toEqual([[0], [0, 10], [0, 10, 20]])
  for (const { columns, rows, curve } of told) {
    expect(curve).toEqual({ x: "step", y: columns.slice(1) })
    for (const [, ...shares] of rows)
      for (const share of shares) expect(Number(share) >= 0 && Number(share) <= 100).toBe(true)
  }
})

test("the similarity of 16 images and captions is told for both sets, each number a cosine", () => {
  const shown = events.flatMap((event) => (event.type === "stage.images" && event.stage === "evaluate" ? [event] : []))
  const matrices = shown.filter(({ title }) => title.startsWith("similarity"))
  expect(matrices.map(({ numbers = [] }) => numbers.length)).toEqual([12, 16])
  for (const { numbers = [] } of matrices) {
    for (const { values } of numbers) {
      expect(values).toHaveLength(numbers.length)
      for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(1 + 1e-6)
    }
  }
})

test("the evaluation tells every measure with interval and chance, on held-out images and on those of another hand", async () => {
  const metrics = JSON.parse(await out("evaluate", "metrics.json")) as Record<string, number>
  for (const [set, count, classes] of [
    ["heldOut", 12, 6],
    ["shifted", 48, 24],
  ] as const) {
    expect(metrics[`${set}.images`]).toBe(count)
    for (const [name, among] of [
      ["zero-shot", classes],
      ["text-of-image", count],
      ["image-of-text", count],
    ] as const) {
      for (const at of [1, 5]) {
        const metric = `${set}.${name}@${at}`
        expect(metrics[`${metric}Chance`]).toBeCloseTo(at / among, 9)
        expect(metrics[`${metric}Low`]! <= metrics[metric]! && metrics[metric]! <= metrics[`${metric}High`]!).toBe(true)
      }
    }
  }
  const [table] = JSON.parse(await out("evaluate", "tables.json")) as ReadonlyArray<{ rows: ReadonlyArray<unknown> }>
  expect(table!.rows).toHaveLength(14)
  for (const at of [1, 5]) {
    const metric = `shifted.nearest-by-pixels@${at}`
    expect(metrics[`${metric}Chance`]).toBeCloseTo(at / 24, 9)
    expect(metrics[`${metric}Low`]! <= metrics[metric]! && metrics[metric]! <= metrics[`${metric}High`]!).toBe(true)
    expect(metrics[`heldOut.nearest-by-pixels@${at}`]).toBeUndefined()
  }
})

test("a search by an image of the index finds the image itself first, at cosine 1", async () => {
  type Row = readonly [query: string, place: number, caption: string, set: string, cosine: number]
  const [table] = JSON.parse(await out("search", "tables.json")) as ReadonlyArray<{ rows: ReadonlyArray<Row> }>
  const firsts = table!.rows.filter(([query, place]) => query.startsWith("image of") && place === 1)
  expect(firsts).toHaveLength(2)
  for (const [query, , caption, set, cosine] of firsts) {
    expect([query, set]).toEqual([`image of ${caption}`, "heldOut"])
    expect(cosine).toBeCloseTo(1, 3)
  }
  const byText = table!.rows.filter(([query]) => query === '"red circle"').map((row) => row[4])
  expect(byText).toEqual([...byText].sort((a, b) => b - a))
})

test("every size of the paper encodes as a graph of the published model, in parts that divide the batch", () => {
  for (const [name, preset] of Object.entries(clipPaper)) {
    const { model, batch, part } = preset.train
    const json = encodeGraph(clip(preset, shapesStage({ size: model.image.size, perKind: 1 })))
    expect(json.nodes).toHaveLength(stageNames(graph).length)
    const shape = { ...model, text: { ...model.text, vocab: preset.tokenizer.vocab } }
    expect(shape).toEqual(clipPresets[name as keyof typeof clipPaper])
    expect(batch % part!).toBe(0)
  }
})

test("what a stage made is read back from the run's folder, bit for bit, but for the manifests", async () => {
  const { read, made } = await readAgain(graph, runs[0]!)
  expect(Object.keys(read).length).toBeGreaterThanOrEqual(4)
  expect(read).toEqual(made)
})

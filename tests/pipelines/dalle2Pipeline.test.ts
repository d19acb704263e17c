/** The whole of DALL·E 2 in its smallest size, from captioned images to images of captions and changed images. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decodeEvents, Engines, type RecordedRun, recordRun, type StampedEvent, stageNames } from "@millrace/core"
import { dalle2, dalle2Presets } from "@millrace/pipelines"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { shapesStage } from "./images.js"
import { readAgain } from "./readAgain.js"

const config = dalle2Presets.tiny
const graph = dalle2(config, shapesStage({ size: 16, perKind: 4 }))

let root = ""
let run: RecordedRun
let events: ReadonlyArray<StampedEvent> = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-dalle2-"))
  run = await Effect.runPromise(
    recordRun(graph, { root, seed: 1 }).pipe(Effect.provide(Engines.layer("onnx", { threads: 1 }))),
  )
  events = decodeEvents(await readFile(join(run.folder.path, "events.jsonl"), "utf8"))
})
afterAll(() => rm(root, { recursive: true }))

const ofStage = <T extends StampedEvent["type"]>(stage: string, type: T) =>
  events.flatMap((event) =>
    event.type === type && "stage" in event && event.stage === stage
      ? [event as Extract<StampedEvent, { readonly type: T }>]
      : [],
  )

test("every stage ends, and those that train tell each of their steps in finite numbers", () => {
  expect(Object.keys(run.digests)).toEqual(stageNames(graph))
  for (const stage of ["clip", "prior", "decoder", "upsampler"] as const) {
    const told = ofStage(stage, "stage.step")
    expect(told).toHaveLength(config[stage].fit.steps)
    expect(told.flatMap(({ values }) => Object.values(values)).filter((value) => !Number.isFinite(value))).toEqual([])
  }
})

test("the decoder is looked at before, during and after training, each time with as many pictures", () => {
  const looks = ofStage("decoder", "stage.images")
  expect(looks.map(({ step }) => step)).toEqual([0, 15, 30])
  expect(new Set(looks.map(({ title }) => title)).size).toBe(1)
  for (const { texts } of looks) expect(texts).toHaveLength(config.decoder.watch.images)
})

test("guidance is compared scale by scale, and manipulations are shown as strips whose pictures are in the run folder", async () => {
  const [table] = ofStage("sample", "stage.table")
  expect(table?.rows.map(([scale]) => scale)).toEqual(config.sample.scales)
  const columns = {
    variations: config.variations.each + 2,
    interpolations: config.interpolations.steps + 2,
    textDiffs: config.textDiffs.steps + 1,
  }
  for (const [stage, count] of Object.entries(columns)) {
    const [strip] = ofStage(stage, "stage.images")
    expect([stage, strip?.columns]).toEqual([stage, count])
    expect((await stat(join(run.folder.path, strip!.file))).size).toBeGreaterThan(100)
  }
})

test("each evaluation has finite numbers alone, and shares within their intervals", async () => {
  for (const stage of ["evaluatePrior", "retrieval", "sample", "variations", "interpolations", "textDiffs"]) {
    const file = join(run.folder.path, "artifacts", stage, "out", "metrics.json")
    const metrics = JSON.parse(await readFile(file, "utf8")) as Record<string, number>
    expect(Object.values(metrics).filter((value) => !Number.isFinite(value))).toEqual([])
    if (stage !== "retrieval") continue
    expect(metrics.retrievalAt1Low).toBeLessThanOrEqual(metrics.retrievalAt1!)
    expect(metrics.retrievalAt1High).toBeGreaterThanOrEqual(metrics.retrievalAt1!)
    expect(metrics.timesChance).toBeCloseTo(metrics.retrievalAt1! * metrics.images!, 6)
  }
})

test("what a stage made is read back from the run's folder, bit for bit, but for the manifests", async () => {
  const { read, made } = await readAgain(graph, run)
  expect(Object.keys(read).length).toBeGreaterThanOrEqual(9)
  expect(read).toEqual(made)
})

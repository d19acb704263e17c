import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  decodeEvents,
  Engines,
  encodeGraph,
  type Objective,
  objectiveOf,
  type RecordedRun,
  recordRun,
  type StampedEvent,
  sizeOf,
  stageNames,
} from "@millrace/core"
import { dalle, dallePresets, discreteCoding, imagePrior } from "@millrace/pipelines"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { patchesStage } from "./patches.js"
import { readAgain } from "./readAgain.js"

const { tiny } = dallePresets
const graph = dalle(tiny, patchesStage({ size: 16 }))
const stages = stageNames(graph)

let root = ""
const runs: Array<RecordedRun> = []
let events: ReadonlyArray<StampedEvent> = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-dalle-"))
  for (const seed of [1, 1, 2]) {
    const run = recordRun(graph, { root, seed })
    runs.push(await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx", { threads: 1 })))))
  }
  events = decodeEvents(await readFile(join(runs[0]!.folder.path, "events.jsonl"), "utf8"))
})
afterAll(() => rm(root, { recursive: true }))

const told = <Type extends StampedEvent["type"]>(type: Type) =>
  events.flatMap((event) => (event.type === type ? [event as Extract<StampedEvent, { type: Type }>] : []))

test("every stage starts and ends in the order of the graph, and the run is done", () => {
  expect(told("stage.started").map(({ stage }) => stage)).toEqual(stages)
  expect(told("stage.ended").map(({ stage }) => stage)).toEqual(stages)
  expect(told("run.ended")).toMatchObject([{ status: "done" }])
})

test("the same seed gives the same bytes of every artifact; another seed others wherever something is drawn", () => {
  const [first, again, other] = runs
  expect(again!.digests).toEqual(first!.digests)
  for (const stage of stages) {
    const same = other!.digests[stage]!.out === first!.digests[stage]!.out
    expect([stage, same]).toEqual([stage, stage === "images" || stage === "tokenizer"])
  }
})

test("every table is told: of codes, of both cross-entropies, of the judge, and of the best of n for each group of captions", () => {
  const tables = told("stage.table").map(({ stage, title, rows }) => [stage, title, rows.length])
  expect(tables).toEqual([
    ["dvae", "Reconstruction", 2],
    ["prior", "Cross-entropy on 16 held-out images", 2],
    ["judge", "The judge on 16 held-out images", 2],
    ["evaluate", "The judge on reconstructions of 16 training images, the most that samples can reach", 4],
    ["evaluate", "The best of n images for 4 captions: train", 3],
    ["evaluate", "What the judge sees in the best of n: train", 4],
    ["evaluate", "The best of n images for 4 captions: held out", 3],
    ["evaluate", "What the judge sees in the best of n: held out", 4],
  ])
})

test("reconstructions, images while the prior learns, candidates and the best of them are shown", () => {
  const shown = told("stage.images").map(({ stage, title }) => `${stage}: ${title}`)
  expect([...new Set(shown)]).toEqual([
    "dvae: Reconstructions of held-out images",
    "prior: Images of held-out captions",
    "rerank: Candidates for captions: train",
    "rerank: Candidates for captions: held out",
    "evaluate: Best of 4: train",
    "evaluate: Best of 4: held out",
  ])
})

test("the paper's sizes make a graph, whose prior has 12 billion parameters and whose dVAE has 98 million", () => {
  const { paper } = dallePresets
  expect(encodeGraph(dalle(paper, patchesStage({ size: 256 }))).nodes).toHaveLength(stages.length)
  const count = (objective: Objective): number =>
    Object.values(objective.paramSpecs).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const grid = { rows: 32, columns: 32 }
  const textVocab = paper.tokenizer.vocab
  const prior = { ...paper.prior.model, ...grid, textVocab, imageVocab: paper.dvae.model.vocab }
  expect(count(objectiveOf(imagePrior(prior, "counted"))) / 1e9).toBeCloseTo(12.3, 1)
  expect(count(objectiveOf(discreteCoding({ ...paper.dvae.model, ...grid })))).toBe(53_786_240 + 43_829_766)
})
test("what a stage made is read back from the run's folder, bit for bit, but for the manifests", async () => {
  const { read, made } = await readAgain(graph, runs[0]!)
  expect(Object.keys(read).length).toBeGreaterThanOrEqual(7)
  expect(read).toEqual(made)
})

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  decodeEvents,
  decodeSafetensors,
  digestFiles,
  Engines,
  encodeGraph,
  type RecordedRun,
  recordRun,
  type StampedEvent,
  stageNames,
} from "@millrace/core"
import { type InstructGptConfig, instructgpt, instructgptPresets } from "@millrace/pipelines"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { labeler, smallCorpus } from "./corpus.js"
import { readAgain } from "./readAgain.js"

const { tiny } = instructgptPresets
const config: InstructGptConfig = {
  ...tiny,
  tokenizer: { vocab: 400, characters: 20_000 },
  passages: { ...tiny.passages, train: 200, heldOut: 40 },
}
const graph = instructgpt(config, smallCorpus, labeler)
const stages = stageNames(graph)

let root = ""
const runs: Array<RecordedRun> = []
let events: ReadonlyArray<StampedEvent> = []
const [first, again, other] = [0, 1, 2]

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-instructgpt-"))
  for (const seed of [1, 1, 2]) {
    const run = recordRun(graph, { root, seed })
    runs.push(await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx", { threads: 1 })))))
  }
  events = decodeEvents(await readFile(join(runs[first]!.folder.path, "events.jsonl"), "utf8"))
})
afterAll(() => rm(root, { recursive: true }))

const read = (...path: ReadonlyArray<string>) => readFile(join(runs[first]!.folder.path, ...path))
const lines = async <T>(...path: ReadonlyArray<string>): Promise<ReadonlyArray<T>> =>
  (await read("artifacts", ...path))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T)

test("every stage starts and ends in the order of the graph, and the run is done", () => {
  const of = (type: string) => events.flatMap((event) => (event.type === type && "stage" in event ? [event.stage] : []))
  expect(of("stage.started")).toEqual(stages)
  expect(of("stage.ended")).toEqual(stages)
  expect(events.at(-1)).toMatchObject({ type: "run.ended", status: "done" })
})

test("every training stage tells each of its steps, with a loss and finite numbers alone", () => {
  const steps = { pretrain: config.pretrain.fit.steps, sft: config.sft.fit.steps, reward: config.reward.fit.steps }
  for (const [stage, count] of Object.entries({ ...steps, ppo: config.ppo.iterations })) {
    const told = events.flatMap((event) => (event.type === "stage.step" && event.stage === stage ? [event] : []))
    expect(told.map(({ step }) => step)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
    for (const { values, steps } of told) {
      expect(steps).toBe(count)
      expect(Object.keys(values)).toContain(stage === "ppo" ? "kl" : "loss")
      expect(Object.values(values).filter((value) => !Number.isFinite(value))).toEqual([])
    }
  }
})

test("the same seed gives the same bytes of every artifact, weights and metrics; another seed gives others", () => {
  expect(Object.keys(runs[first]!.digests)).toEqual(stages)
  expect(runs[again]!.digests).toEqual(runs[first]!.digests)
  const given = ["corpus", "labeler", "tokenizer"] // Nothing is drawn for these.
  for (const stage of stages) {
    const same = runs[other]!.digests[stage]!.out === runs[first]!.digests[stage]!.out
    expect([stage, same]).toEqual([stage, given.includes(stage)])
  }
})

test("the digest of every artifact is that of its files in the run folder", async () => {
  for (const stage of stages) {
    const names = await readdir(join(runs[first]!.folder.path, "artifacts", stage, "out"))
    const files = await Promise.all(names.map(async (name) => [name, await read("artifacts", stage, "out", name)]))
    expect([stage, digestFiles(Object.fromEntries(files))]).toEqual([stage, runs[first]!.digests[stage]!.out])
  }
})

test("the run folder has the graph, the events, weights that decode to finite numbers, and a report of every stage", async () => {
  const json: unknown = JSON.parse((await read("graph.json")).toString())
  expect(json).toEqual(JSON.parse(JSON.stringify(encodeGraph(graph))))
  const models = { pretrain: 0, sft: 0, ppo: 0, reward: 1 }
  for (const [stage, head] of Object.entries(models)) {
    const { tensors: weights } = await Effect.runPromise(
      decodeSafetensors(await read("artifacts", stage, "out", "model.safetensors"), stage),
    )
    expect(Object.keys(weights)).toHaveLength(12 * 2 + 4 + 2 * head)
    for (const { data } of Object.values(weights)) expect(data.every(Number.isFinite)).toBe(true)
  }
  const report = (await read("report.html")).toString()
  for (const stage of stages) expect(report).toContain(stage)
  expect(report).toContain(runs[first]!.folder.id)
})

test("no held-out prompt is among those that policies learn from", async () => {
  type Row = { readonly prompt: ReadonlyArray<number> }
  const learnt = new Set((await lines<Row>("passages", "out", "train.jsonl")).map(({ prompt }) => prompt.join(" ")))
  const held = await lines<Row>("passages", "out", "held-out.jsonl")
  expect(learnt.size).toBeGreaterThan(100)
  expect(held.length).toBeGreaterThan(10)
  expect(held.filter(({ prompt }) => learnt.has(prompt.join(" ")))).toEqual([])
})

test("every prompt has K answers, and the labeler's gold scores stand beside its preferences", async () => {
  type Row = {
    readonly answers: ReadonlyArray<ReadonlyArray<number>>
    readonly preference: ReadonlyArray<number>
    readonly gold: ReadonlyArray<number>
  }
  const rows = await lines<Row>("comparisons", "out", "train.jsonl")
  expect(rows).toHaveLength(config.answers.train)
  for (const { answers, preference, gold } of rows) {
    expect([answers.length, preference.length, gold.length]).toEqual([4, 4, 4])
    expect(answers.every(({ length }) => length >= 1 && length <= config.passages.continuationLength)).toBe(true)
  }
})

test("the evaluation compares three policies: SFT is at no distance from itself, and training beats guessing", async () => {
  const metrics = JSON.parse((await read("artifacts", "evaluate", "out", "metrics.json")).toString()) as Record<
    string,
    number
  >
  expect(Object.values(metrics).filter((value) => !Number.isFinite(value))).toEqual([])
  expect(metrics["sft.klToSft"]).toBe(0)
  expect(metrics["base.klToSft"]).toBeGreaterThan(0)
  expect(metrics["ppo.klToSft"]).toBeGreaterThan(0)
  for (const policy of ["base", "sft", "ppo"]) {
    expect(metrics[`${policy}.perplexity`]).toBeLessThan(config.tokenizer.vocab)
    expect(metrics[`${policy}.goldLow`]).toBeLessThanOrEqual(metrics[`${policy}.gold`]!)
    expect(metrics[`${policy}.goldHigh`]).toBeGreaterThanOrEqual(metrics[`${policy}.gold`]!)
  }
})

test("what a stage made is read back from the run's folder, bit for bit, but for the manifests", async () => {
  const { read, made } = await readAgain(graph, runs[first]!)
  expect(Object.keys(read).length).toBeGreaterThanOrEqual(9)
  expect(read).toEqual(made)
})

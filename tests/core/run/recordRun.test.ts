import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve, sep } from "node:path"
import {
  decodeEvents,
  diffRuns,
  digestFiles,
  Engine,
  encodeGraph,
  type Graph,
  graph,
  makeRunFolder,
  readRunFacts,
  recordRun,
  runMetrics,
} from "@millrace/core"
import { Deferred, Effect, Fiber } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { constant, noEngine, source, step, sum, training } from "./stages.js"

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-runs-"))
})
afterAll(() => rm(root, { recursive: true }))

const adding = graph("adding", {})
  .node("loss", training(40), {})
  .node("one", constant(1), {})
  .node("total", sum, { a: "one", b: "one" })
  .output("total", "loss")

const record = (of: Graph, name: string, seed = 7) =>
  Effect.runPromise(recordRun(of, { root: join(root, name), seed }).pipe(noEngine))

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"))

test("a run leaves a folder that tells all of it", async () => {
  const { folder, outputs, digests } = await record(adding, "whole")
  expect(outputs).toEqual({ total: 2, loss: 1 / 40 })
  expect((await readdir(folder.path)).sort()).toEqual([
    "SUMMARY.txt",
    "artifacts",
    "digests.json",
    "environment.json",
    "events.jsonl",
    "graph.json",
    "report.html",
    "run.json",
  ])
  expect(await json(join(folder.path, "graph.json"))).toEqual(JSON.parse(JSON.stringify(encodeGraph(adding))))
  expect(await json(join(folder.path, "digests.json"))).toEqual(digests)
  expect(await json(join(folder.path, "environment.json"))).toMatchObject({ seed: "7", engine: "none 1.0.0" })
  const bytes = await readFile(join(folder.path, "artifacts", "total", "out", "value.txt"))
  expect(bytes.toString()).toBe("2")
  expect(digestFiles({ "value.txt": bytes })).toBe(digests.total?.out)
  const events = decodeEvents(await readFile(join(folder.path, "events.jsonl"), "utf8"))
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i))
  expect(events.at(-1)).toMatchObject({ type: "run.ended", status: "done" })
  expect(await readFile(join(folder.path, "SUMMARY.txt"), "utf8")).toMatch(/^adding: run \w+ done.*\n.*seed 7.*none/)
})

test("a second run of one graph and seed gets a folder of its own and the same digests; another seed, another name", async () => {
  const [first, second, other] = [
    await record(adding, "twice"),
    await record(adding, "twice"),
    await record(adding, "twice", 8),
  ]
  expect(second.folder.id).toBe(`${first.folder.id}-2`)
  expect(other.folder.id).not.toContain(first.folder.id)
  const digestsOf = ({ folder }: typeof first) => readFile(join(folder.path, "digests.json"), "utf8")
  expect(await digestsOf(second)).toBe(await digestsOf(first))
})

test("threads of the engine are a fact of the machine: they make no other digests, and are no difference of what decides a run", async () => {
  const on = (threads: number) =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const run = recordRun(adding, { root: join(root, "threads"), seed: 7 })
      const { folder } = yield* Effect.provideService(run, Engine, Engine.of({ ...engine, threads }))
      const facts = yield* readRunFacts(folder.path)
      return { ...facts, metrics: yield* runMetrics(facts) }
    }).pipe(noEngine, Effect.runPromise)
  const [one, two] = [await on(1), await on(2)]
  const { run, graph, environment, stages } = diffRuns(one, two)
  expect([run, graph, environment]).toEqual([[], [], [{ what: "threads", a: 1, b: 2 }]])
  expect(stages.map(({ verdict }) => verdict)).toEqual(["same", "same", "same"])
})

test("folders that are made at once never share one name", async () => {
  const made = await Promise.all(
    Array.from({ length: 12 }, () => Effect.runPromise(makeRunFolder(join(root, "race"), "same"))),
  )
  expect(new Set(made.map(({ path }) => path)).size).toBe(12)
})

test("when a stage fails, the outputs of the stages before it are in the folder, and the report says where", async () => {
  const failing = step(() => Effect.fail(new Error("the corpus is empty")))
  const broken = graph("broken", {})
    .node("first", constant(5), {})
    .node("second", failing, { x: "first" })
    .output("second")
  const failure = await Effect.runPromise(
    recordRun(broken, { root: join(root, "failed"), seed: 1 }).pipe(noEngine, Effect.flip),
  )
  expect(failure).toMatchObject({ _tag: "NodeFailed", where: "broken > second", received: "the corpus is empty" })
  const [id = ""] = await readdir(join(root, "failed"))
  const at = (...path: ReadonlyArray<string>) => readFile(join(root, "failed", id, ...path), "utf8")
  expect(await at("artifacts", "first", "out", "value.txt")).toBe("5")
  expect(Object.keys(JSON.parse(await at("digests.json")))).toEqual(["first"])
  expect(await at("SUMMARY.txt")).toContain("the corpus is empty")
  expect(await at("report.html")).toContain("Failed in second")
})

test("a run that is interrupted leaves a whole folder, marked as stopped", async () => {
  await Effect.runPromise(
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const endless = source(Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
      const long = graph("long", {})
        .node("first", constant(5), {})
        .node("second", endless, {})
        .output("first", "second")
      const fiber = yield* Effect.forkChild(recordRun(long, { root: join(root, "stopped"), seed: 1 }).pipe(noEngine))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
    }),
  )
  const [id = ""] = await readdir(join(root, "stopped"))
  const at = (name: string) => readFile(join(root, "stopped", id, name), "utf8")
  expect(decodeEvents(await at("events.jsonl")).at(-1)).toMatchObject({ type: "run.ended", status: "stopped" })
  expect(await at("SUMMARY.txt")).toContain("stopped")
  expect(await at("artifacts/first/out/value.txt")).toBe("5")
})

test("a folder that cannot be made is DiskFailed that says what to do", async () => {
  const file = join(root, "a-file")
  await writeFile(file, "")
  const failure = await Effect.runPromise(recordRun(adding, { root: file, seed: 1 }).pipe(noEngine, Effect.flip))
  expect(failure).toMatchObject({ _tag: "DiskFailed", where: file, fix: expect.stringContaining("--out") })
})

test("no name of a stage, a port or a file leads out of the run folder, and no two names meet", async () => {
  const folder = await Effect.runPromise(makeRunFolder(join(root, "names"), "names"))
  const name = fc.oneof(
    fc.constantFrom("..", ".", "", "/", "../../x", "a/b", "a\\b", "C:\\x", "con\0", "é", "\ud800", "x".repeat(500)),
    fc.string({ unit: "binary" }),
  )
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), async (names) => {
      const stage = `s${names.length}`
      for (const one of names) {
        const files = { "value.txt": new TextEncoder().encode(one) }
        await Effect.runPromise(folder.keep({ stage: one, name: stage, files, digest: "" }))
      }
      const places = await readdir(folder.path, { recursive: true, withFileTypes: true })
      const files = places.filter((entry) => entry.isFile()).map((entry) => resolve(entry.parentPath, entry.name))
      expect(files.every((path) => path.startsWith(join(folder.path, "artifacts") + sep))).toBe(true)
      expect(files.filter((path) => path.includes(`${sep}${stage}${sep}`)).length).toBeGreaterThanOrEqual(names.length)
      await rm(join(folder.path, "artifacts"), { recursive: true })
    }),
    { numRuns: 60 },
  )
})

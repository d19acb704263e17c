/** A run read again from its folder, whole and damaged. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  encodeEvent,
  type Graph,
  graph,
  graphFacts,
  graphHash,
  type RecordedStory,
  readStory,
  recordRun,
  renderReport,
} from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"
import { recordedEvents } from "../fixtures/recordedRun.js"
import { constant, noEngine, sum, training } from "./run/stages.js"

const inner = graph("inner", {}).node("one", constant(1), {}).output("one")

const adding: Graph = graph("adding", {})
  .node("loss", training(40), {})
  .node("nested", inner, {})
  .node("total", sum, { a: "loss", b: "nested" })
  .output("total", "loss")

let root = ""
let made: Effect.Success<ReturnType<typeof recordRun>>
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-read-"))
  made = await Effect.runPromise(recordRun(adding, { root, seed: 7 }).pipe(noEngine))
})
afterAll(() => rm(root, { recursive: true }))

const read = (folder: string): Promise<RecordedStory> => Effect.runPromise(readStory(folder))

let copies = 0
/** A copy of the run with other events. */
const withEvents = async (content: string | Uint8Array): Promise<string> => {
  const folder = join(root, `copy-${copies++}`)
  await cp(made.folder.path, folder, { recursive: true })
  await writeFile(join(folder, "events.jsonl"), content)
  return folder
}

test("what is read is what was told while the run went on, and gives the report that the run left", async () => {
  const recorded = await read(made.folder.path)
  expect(recorded.story).toEqual(made.story)
  expect(recorded.warnings).toEqual([])
  expect(recorded.seed).toBe("7")
  const again = renderReport({ ...recorded, graph: { ...graphFacts(adding), functions: new Map() } })
  expect(again).toBe(await readFile(join(made.folder.path, "report.html"), "utf8"))
})

test("a graph file alone tells of the same hash, boxes and arrows as the graph", async () => {
  const { graph: told } = await read(made.folder.path)
  expect(told.hash).toBe(graphHash(adding))
  const whole = graphFacts(adding)
  const shape = ({ picture: { boxes, arrows, clusters } }: typeof told) => {
    const names = new Map(boxes.map(({ id, kind, path }) => [id, `${kind} ${path}`]))
    return {
      boxes: [...names.values()].sort(),
      clusters: clusters.map(({ name }) => name),
      arrows: arrows.map(({ from, to, ports }) => `${names.get(from)} > ${names.get(to)} ${ports}`).sort(),
    }
  }
  expect(shape(told)).toEqual(shape(whole))
  expect([...told.nodes.keys()]).toEqual([...whole.nodes.keys()])
  for (const [path, facts] of whole.nodes)
    expect(told.nodes.get(path)).toMatchObject({ type: facts.type, config: facts.config })
})

test("an event file that ends anywhere is read up to there, and what was lost is said", async () => {
  const whole = await readFile(join(made.folder.path, "events.jsonl"))
  const starts = [...whole.keys()].filter((i) => i === 0 || whole[i - 1] === 10)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: whole.length - 2 }), async (end) => {
      const { story, warnings } = await read(await withEvents(whole.subarray(0, end)))
      const partial = whole[end - 1] !== 10 && whole[end] !== 10
      expect(warnings.some((text) => text.includes("cut off"))).toBe(partial)
      expect(story.run !== "").toBe(end >= starts[1]! - 1)
      expect(warnings.length).toBeGreaterThan(0)
    }),
    { numRuns: 30 },
  )
})

test("a line that is no event is refused by its number, wherever it is but at the end", async () => {
  const lines = (await readFile(join(made.folder.path, "events.jsonl"), "utf8")).trimEnd().split("\n")
  const damages = ["", "{", "null", "[]", "7", '{"type":"stage.step"}', '{"type":"stage.ended","stage":7,"sequence":1}']
  await fc.assert(
    fc.asyncProperty(fc.nat(lines.length - 2), fc.constantFrom(...damages), async (at, damage) => {
      const folder = await withEvents(`${lines.toSpliced(at, 1, damage).join("\n")}\n`)
      await expect(read(folder)).rejects.toThrow(new RegExp(`line ${at + 1}: `))
    }),
    { numRuns: 30 },
  )
})

test("an event of a kind that is not known is left out and counted", async () => {
  const text = await readFile(join(made.folder.path, "events.jsonl"), "utf8")
  const lines = text.trimEnd().split("\n")
  const folder = await withEvents(
    `${lines.toSpliced(1, 0, '{"type":"stage.dreamt","sequence":1,"secondsSinceStart":0}').join("\n")}\n`,
  )
  const { story, warnings } = await read(folder)
  expect(story).toEqual(made.story)
  expect(warnings).toEqual(["1 event is of a kind that this version of Millrace does not know."])
})

test("every event that a run can tell is read as it was told, also numbers that JSON does not know", async () => {
  const folder = await withEvents(recordedEvents.map((event) => `${encodeEvent(event)}\n`).join(""))
  const { story } = await read(folder)
  expect(story.stages.get("ppo")?.nonFinite).toBe(1)
  expect(story.stages.get("ppo")?.broken).toHaveLength(1)
})

test("a graph or an environment that is none is refused by its name", async () => {
  for (const [name, content] of [
    ["graph.json", '{"name":"x"}'],
    ["environment.json", "[]"],
    ["graph.json", "\u0000"],
  ] as const) {
    const folder = await withEvents("")
    await writeFile(join(folder, name), content)
    await expect(read(folder)).rejects.toThrow(new RegExp(`^BadData in .*${name}`))
  }
  await expect(read(join(root, "nowhere"))).rejects.toThrow(/nowhere/)
})

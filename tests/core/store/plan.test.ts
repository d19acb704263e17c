import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  decodeEvents,
  Engine,
  environmentOf,
  type Graph,
  graph,
  keyFromSeed,
  machineOf,
  planRun,
  recordRun,
  storeAt,
  storeIn,
  whatChanged,
} from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import { noEngine } from "../run/stages.js"
import { constant, plus, ran, reading } from "./stages.js"

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-plan-"))
})
afterAll(() => rm(root, { recursive: true }))
beforeEach(() => {
  ran.length = 0
})

const sums = (values: ReadonlyArray<number>) =>
  graph("sums", {})
    .node("one", constant({ value: values[0] ?? 0 }), {})
    .node("two", plus({ value: values[1] ?? 0 }), { x: "one" })
    .node("three", plus({ value: values[2] ?? 0 }), { x: "two" })
    .node("beside", plus({ value: values[3] ?? 0 }), { x: "one" })
    .output("three", "beside")

const record = (of: Graph, name: string, seed = 7) =>
  Effect.runPromise(recordRun(of, { root: join(root, name), seed, cache: "use" }).pipe(noEngine))

const plan = (of: Graph, name: string, seed = 7) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const engine = yield* Engine
      const machine = machineOf(engine, yield* environmentOf(engine))
      return yield* planRun(of, { store: storeAt(storeIn(join(root, name))), key: keyFromSeed(seed), machine })
    }).pipe(noEngine),
  )

test("what a plan calls cached does not run, what it says runs does, and what it is unsure of may do either", async () => {
  const small = fc.integer({ min: 0, max: 2 })
  const values = fc.tuple(small, small, small, small)
  await fc.assert(
    fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 3 }), fc.uuid(), async (graphs, name) => {
      for (const one of graphs) {
        const planned = await plan(sums(one), name)
        expect(ran).toEqual([])
        await record(sums(one), name)
        for (const { stage, state, why } of planned) {
          if (state !== "unsure") expect(ran.includes(stage)).toBe(state === "runs")
          expect(why.length > 0).toBe(state !== "cached")
        }
        ran.length = 0
        expect((await plan(sums(one), name)).map(({ state }) => state)).toEqual(Array(4).fill("cached"))
      }
    }),
    { numRuns: 8 },
  )
})

test("a miss is explained by what is other than the last time", async () => {
  await record(sums([1, 2, 3, 4]), "why")
  const [, two, three, beside] = await plan(sums([1, 5, 3, 4]), "why")
  expect(two).toMatchObject({ state: "runs", why: ["config.value: 2 → 5"], seconds: expect.any(Number) })
  expect(three).toMatchObject({ state: "unsure", why: ["it needs what `two` makes"] })
  expect(beside).toMatchObject({ state: "cached", why: [] })
  for (const { why } of await plan(sums([1, 2, 3, 4]), "why", 8)) expect(why).toContain("seed: another one")
  for (const { why } of await plan(sums([1, 2, 3, 4]), "nowhere")) expect(why).toContain("it was not run before")
})

test("a plan tells the time and the memory that were measured when a stage ran last, also of what is other now", async () => {
  const { folder } = await record(sums([1, 2, 3, 4]), "took")
  const events = decodeEvents(await readFile(join(folder.path, "events.jsonl"), "utf8"))
  const told = new Map(events.flatMap((event) => (event.type === "stage.ended" ? [[event.stage, event]] : [])))
  const planned = await plan(sums([5, 2, 3, 4]), "took")
  expect(planned.map(({ state }) => state)).toContain("runs")
  for (const { stage, seconds, memory } of planned) {
    expect({ seconds, memory }).toEqual({ seconds: told.get(stage)?.seconds, memory: told.get(stage)?.memory })
    if (process.platform === "linux") expect(memory).toBeGreaterThan(2 ** 20)
  }
})

test("a volatile stage is planned to run each time", async () => {
  const of = graph("volatile", {})
    .node("data", reading({}), {})
    .node("sum", plus({ value: 1 }), { x: "data" })
    .output("sum")
  await record(of, "volatile")
  expect((await plan(of, "volatile")).map(({ state }) => state)).toEqual(["runs", "unsure"])
})

test("keys without a difference have none to tell, and any part that differs is named", () => {
  const parts = fc.record({
    node: fc.string(),
    code: fc.string(),
    config: fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.constant(null), fc.array(fc.integer()))),
    inputs: fc.dictionary(fc.string(), fc.string({ minLength: 13 })),
    random: fc.string(),
    engine: fc.string(),
    instructions: fc.string(),
    millrace: fc.string(),
  })
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(whatChanged(a, a)).toEqual([])
      const told = whatChanged(a, b)
      for (const part of ["node", "code", "engine", "instructions", "millrace"] as const) {
        expect(told.some((line) => line.startsWith(`${part}: `))).toBe(a[part] !== b[part])
      }
      expect(told.some((line) => line.startsWith("seed: "))).toBe(a.random !== b.random)
    }),
  )
})

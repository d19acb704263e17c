import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decodeEvents, encodeEvent, type RunEvent, runEvents, type StampedEvent, writeEvents } from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, expect, test } from "vitest"

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-events-"))
})
afterAll(() => rm(folder, { recursive: true }))

const step = (i: number, loss = 1): RunEvent => ({
  type: "stage.step",
  stage: "sft",
  step: i,
  steps: 100,
  values: { loss },
  amount: 1,
  unit: "token",
})

test("every listener sees every event once, in order, stamped by a clock that only it reads", () => {
  let now = 5
  const events = runEvents(() => now++)
  const seen: Array<[number, number]> = []
  events.all.subscribe(({ sequence, secondsSinceStart }) => seen.push([sequence, secondsSinceStart]))
  for (let i = 0; i < 3; i++) events.emit(step(i))
  expect(seen).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ])
})

test("a late listener gets the newest event of each kind of each stage, however long the run", () => {
  const events = runEvents(() => 0)
  events.emit({ type: "run.started", run: "r", graph: "h", stages: ["sft"] })
  events.emit({ type: "stage.started", stage: "sft", node: "n@1" })
  for (let i = 1; i <= 1000; i++) events.emit(step(i))
  const seen: Array<StampedEvent> = []
  events.all.subscribe((event) => seen.push(event))
  expect(seen.map(({ type }) => type)).toEqual(["run.started", "stage.started", "stage.step"])
  expect(seen.at(-1)).toMatchObject({ step: 1000, sequence: 1001 })
  events.emit(step(1001))
  expect(seen).toHaveLength(4)
})

test("after the bus is closed listeners are told and nothing more comes", () => {
  const events = runEvents()
  let ended = 0
  const seen: Array<StampedEvent> = []
  events.all.subscribe({ next: (event) => seen.push(event), complete: () => ended++ })
  events.close()
  events.emit(step(1))
  expect([ended, seen.length]).toEqual([1, 0])
})

test("a line is JSON and comes back as the same event, numbers that are not finite included", () => {
  const number = fc.double()
  fc.assert(
    fc.property(fc.dictionary(fc.string(), number), fc.nat(), (values, sequence) => {
      const event: StampedEvent = { ...step(1), values, sequence, secondsSinceStart: 0.5 } as StampedEvent
      const line = encodeEvent(event)
      expect(line).not.toContain("\n")
      const [back] = decodeEvents(line)
      const expected = Object.fromEntries(Object.entries(values).map(([name, v]) => [name, v === 0 ? 0 : v]))
      expect(back).toEqual({ ...event, values: expected })
    }),
  )
})

test("a file cut at any byte still gives all events whose lines are whole", () => {
  const lines = [1, 2, 3].map((i) => encodeEvent({ ...step(i), sequence: i, secondsSinceStart: i }))
  const text = `${lines.join("\n")}\n`
  for (let end = 0; end <= text.length; end++) {
    const whole = lines.filter((_, i) => lines.slice(0, i + 1).join("\n").length <= end).length
    expect(decodeEvents(text.slice(0, end))).toHaveLength(whole)
  }
})

test("events are in the file when the scope closes, in order", async () => {
  const path = join(folder, "events.jsonl")
  const events = runEvents()
  await Effect.runPromise(
    Effect.gen(function* () {
      const written = yield* writeEvents(events.all, path)
      for (let i = 0; i < 500; i++) events.emit(step(i, i === 7 ? Number.NaN : 1))
      yield* written.flush
      expect(decodeEvents(yield* Effect.promise(() => readFile(path, "utf8")))).toHaveLength(500)
      for (let i = 500; i < 600; i++) events.emit(step(i))
      expect(written.dropped()).toBe(0)
    }).pipe(Effect.scoped),
  )
  const read = decodeEvents(await readFile(path, "utf8"))
  expect(read.map((event) => event.sequence)).toEqual(Array.from({ length: 600 }, (_, i) => i))
  expect(read[7]).toMatchObject({ values: { loss: Number.NaN } })
})

test("a disk that is too slow costs single steps and nothing else, and never more than the limit in memory", async () => {
  const path = join(folder, "slow.jsonl")
  const events = runEvents()
  const dropped = await Effect.runPromise(
    Effect.gen(function* () {
      const written = yield* writeEvents(events.all, path, 10)
      // Nothing yields between these: to the writer it is a disk that does not answer.
      for (let i = 0; i < 1000; i++) events.emit(step(i))
      events.emit({ type: "stage.note", stage: "sft", text: "the end" })
      return written.dropped()
    }).pipe(Effect.scoped),
  )
  const read = decodeEvents(await readFile(path, "utf8"))
  expect(dropped).toBeGreaterThan(900)
  expect(read).toHaveLength(1001 - dropped)
  expect(read.at(-1)).toMatchObject({ type: "stage.note", sequence: 1000 })
})

test("events are added after what a file holds already, and nothing of it is lost", async () => {
  const path = join(folder, "old.jsonl")
  await writeFile(path, "precious\n")
  const events = runEvents()
  await Effect.runPromise(
    Effect.andThen(
      writeEvents(events.all, path),
      Effect.sync(() => events.emit(step(1))),
    ).pipe(Effect.scoped),
  )
  const lines = (await readFile(path, "utf8")).split("\n")
  expect(lines).toHaveLength(3)
  expect(lines[0]).toBe("precious")
  expect(decodeEvents(lines[1]!)).toMatchObject([{ type: "stage.step", step: 1 }])
})

test("a file that cannot be written is told at once", async () => {
  const failure = await Effect.runPromise(writeEvents(runEvents().all, folder).pipe(Effect.scoped, Effect.flip))
  expect(failure).toMatchObject({ _tag: "DiskFailed", where: folder, fix: expect.stringContaining("--out") })
})

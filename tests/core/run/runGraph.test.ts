import {
  BadData,
  type Graph,
  graph,
  type Kept,
  keyFromSeed,
  type RunEvent,
  runEvents,
  runGraph,
  Stage,
} from "@millrace/core"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { expect, test } from "vitest"
import { constant, noEngine, range, source, step, sum } from "./stages.js"

const prepare = (seed = 1) => {
  const events = runEvents()
  const seen: Array<RunEvent> = []
  const kept: Array<Kept> = []
  events.all.subscribe((event) => seen.push(event))
  const keep = (one: Kept) => Effect.sync(() => void kept.push(one))
  return { seen, kept, options: { run: "r", graphHash: "h", key: keyFromSeed(seed), events, keep } }
}

const run = (of: Graph, options = prepare().options) => Effect.runPromise(runGraph(of, options).pipe(noEngine))
const failureOf = (of: Graph, options = prepare().options) =>
  Effect.runPromise(runGraph(of, options).pipe(noEngine, Effect.flip))

test("values travel along the wires, and every stage starts after those it needs", async () => {
  const { options, seen } = prepare()
  const adding = graph("g", {})
    .node("one", constant(1), {})
    .node("two", sum, { a: "one", b: "one" })
    .node("total", sum, { a: "one", b: "two" })
    .output("total")
  expect((await run(adding, options)).outputs).toEqual({ total: 3 })
  expect(seen.map((event) => ("stage" in event ? `${event.type} ${event.stage}` : event.type))).toEqual([
    "run.started",
    "stage.started one",
    "stage.ended one",
    "stage.started two",
    "stage.ended two",
    "stage.started total",
    "stage.ended total",
    "run.ended",
  ])
  expect(seen.at(-1)).toMatchObject({ status: "done" })
})

test("the name of a stage decides its key, and neither its place nor its neighbours", async () => {
  const keysOf = async (names: ReadonlyArray<string>, seed: number) => {
    const keys: Record<string, unknown> = {}
    const tell = source(
      Effect.gen(function* () {
        const { name, key } = yield* Stage
        keys[name] = key
        return 0
      }),
    )
    const [first, second] = names
    const both = graph("g", {})
      .node(first as "a", tell, {})
      .node(second as "b", tell, {})
      .output("a", "b")
    await run(both, prepare(seed).options)
    return keys
  }
  const keys = await keysOf(["a", "b"], 1)
  expect(await keysOf(["b", "a"], 1)).toEqual(keys)
  expect(keys.a).not.toEqual(keys.b)
  expect((await keysOf(["a", "b"], 2)).a).not.toEqual(keys.a)
})

test("a failing stage keeps what was made before it, closes its scope, and names itself", async () => {
  const { options, seen, kept } = prepare()
  const closed: Array<string> = []
  const error = new BadData({ where: "corpus", expected: "text", received: "nothing", fix: "give a text" })
  const failing = step(() =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => void closed.push("scope")))
      return yield* error
    }),
  )
  const broken = graph("g", {}).node("first", constant(7), {}).node("second", failing, { x: "first" }).output("second")
  const failure = await failureOf(broken, options)
  expect(failure).toMatchObject({ _tag: "NodeFailed", where: "g > second", expected: "text", fix: "give a text" })
  expect(failure.cause).toBe(error)
  expect(closed).toEqual(["scope"])
  expect(kept.map(({ stage, name }) => [stage, name])).toEqual([["first", "out"]])
  expect(seen.slice(-2)).toMatchObject([
    { type: "stage.failed", stage: "second", error: expect.stringContaining("BadData in corpus") },
    { type: "run.ended", status: "failed" },
  ])
})

test("a stage that throws is NodeFailed too", async () => {
  const throwing = source(
    Effect.sync(() => {
      throw new TypeError("not a function")
    }),
  )
  const failure = await failureOf(graph("g", {}).node("bad", throwing, {}).output("bad"))
  expect(failure).toMatchObject({ _tag: "NodeFailed", where: "g > bad", received: "not a function" })
})

test("interruption runs the finalizers and reports the run as stopped", async () => {
  const { options, seen, kept } = prepare()
  const steps: Array<string> = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const endless = step(() =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.sync(() => steps.push("freed")))
          yield* Deferred.succeed(started, undefined)
          return yield* Effect.never
        }),
      )
      const long = graph("g", {})
        .node("first", constant(7), {})
        .node("second", endless, { x: "first" })
        .output("second")
      const fiber = yield* Effect.forkChild(runGraph(long, options).pipe(noEngine))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      expect(Exit.isFailure(yield* Fiber.await(fiber))).toBe(true)
    }),
  )
  expect(steps).toEqual(["freed"])
  expect(kept).toHaveLength(1)
  expect(seen.slice(-2)).toMatchObject([
    { type: "stage.failed", stage: "second", error: "stopped" },
    { type: "run.ended", status: "stopped" },
  ])
})

test("what a stage keeps on the way is kept although the stage fails later", async () => {
  const { options, kept } = prepare()
  const failing = source(
    Effect.gen(function* () {
      const { keep } = yield* Stage
      yield* keep("checkpoint", { "weights.bin": Uint8Array.of(1, 2, 3) })
      return yield* Effect.fail("too bad")
    }),
  )
  expect(await failureOf(graph("g", {}).node("s", failing, {}).output("s"), options)).toMatchObject({
    received: "too bad",
  })
  expect(kept).toMatchObject([{ stage: "s", name: "checkpoint" }])
})

test("several outputs travel as node.port, and each has a digest of its files alone", async () => {
  const several = graph("g", {})
    .node("range", range(Effect.succeed({ low: 1, high: 2 })), {})
    .node("total", sum, { a: "range.low", b: "range.high" })
    .node("three", constant(3), {})
    .output("total", "three")
  const [first, second] = [await run(several), await run(several)]
  expect(first.outputs).toEqual({ total: 3, three: 3 })
  expect(Object.keys(first.digests.range ?? {})).toEqual(["low", "high"])
  expect(first.digests.total).toEqual(first.digests.three)
  expect(first.digests.range?.low).not.toBe(first.digests.range?.high)
  expect(second.digests).toEqual(first.digests)
})

test("a nested graph is a node whose stages are named outer.inner, with one value or with ports", async () => {
  const one = graph("one", {}).node("one", constant(1), {}).output("one")
  const pair = graph("pair", {}).node("x", constant(2), {}).node("y", constant(3), {}).output("x", "y")
  const { options, kept } = prepare()
  const nested = graph("g", {})
    .node("part", one, {})
    .node("two", pair, {})
    .node("inner", sum, { a: "part", b: "two.x" })
    .node("total", sum, { a: "inner", b: "two.y" })
    .output("total")
  expect((await run(nested, options)).outputs).toEqual({ total: 6 })
  expect(kept.map(({ stage }) => stage)).toEqual(["part.one", "two.x", "two.y", "inner", "total"])
})

test("a stage that forgets an output is BadData that names the port", async () => {
  const forgetful = range(Effect.succeed(JSON.parse('{"low": 1}')))
  const failure = await failureOf(graph("g", {}).node("s", forgetful, {}).output("s.low"))
  expect(failure).toMatchObject({ _tag: "BadData", where: "g > s > high", received: "nothing" })
})

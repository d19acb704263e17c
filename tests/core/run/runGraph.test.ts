import {
  artifact,
  artifactKind,
  BadData,
  Engine,
  type Files,
  type Kept,
  keyFromSeed,
  type Ports,
  type RunEvent,
  runEvents,
  runGraph,
  Stage,
  type StageGraph,
  type StageNode,
} from "@millrace/core"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { expect, test } from "vitest"

const number = artifactKind("number", (value: number): Files => ({ "value.txt": new TextEncoder().encode(`${value}`) }))
const port = artifact(number)

/** A stage of numbers; `run` sees its inputs by port. */
const stage = (
  inputs: ReadonlyArray<string>,
  run: (inputs: Readonly<Record<string, number>>) => ReturnType<StageNode["run"]>,
  out: StageNode["out"] = port,
): StageNode => ({
  level: "stage",
  type: "test.stage",
  version: 1,
  config: {},
  sizes: {},
  in: Object.fromEntries(inputs.map((name) => [name, port])) as Ports,
  out,
  run: (given) => run(given as Readonly<Record<string, number>>),
})

const constant = (value: number) => stage([], () => Effect.succeed(value))
const sum = stage(["a", "b"], ({ a = 0, b = 0 }) => Effect.succeed(a + b))

const graph = (name: string, nodes: StageGraph["nodes"], outputs: ReadonlyArray<string>): StageGraph => ({
  level: "stage",
  name,
  in: {},
  nodes,
  outputs,
})

const noEngine = Effect.provideService(
  Engine,
  Engine.of({
    name: "tfjs:cpu",
    version: "none",
    compile: () => Effect.die("not asked for"),
    allocate: () => Effect.die("not asked for"),
  }),
)

const prepare = (seed = 1) => {
  const events = runEvents()
  const seen: Array<RunEvent> = []
  const kept: Array<Kept> = []
  events.all.subscribe((event) => seen.push(event))
  return {
    seen,
    kept,
    options: {
      run: "r",
      graphHash: "h",
      key: keyFromSeed(seed),
      events,
      keep: (one: Kept) => Effect.sync(() => void kept.push(one)),
    },
  }
}

test("stages run in the order of their wires, whatever the order they are written in", async () => {
  const { options, seen } = prepare()
  const nodes = [
    { name: "total", node: sum, wires: { a: "one", b: "two" } },
    { name: "two", node: sum, wires: { a: "one", b: "one" } },
    { name: "one", node: constant(1), wires: {} },
  ]
  const result = await Effect.runPromise(runGraph(graph("g", nodes, ["total"]), options).pipe(noEngine))
  expect(result.outputs).toEqual({ total: 3 })
  expect(seen.filter(({ type }) => type === "stage.started").map((e) => "stage" in e && e.stage)).toEqual([
    "one",
    "two",
    "total",
  ])
  expect(seen.at(-1)).toMatchObject({ type: "run.ended", status: "done" })
})

test("the name of a stage decides its key, and not its place", async () => {
  const keys: Array<unknown> = []
  const tell = stage([], () =>
    Effect.gen(function* () {
      const { name, key } = yield* Stage
      keys.push([name, key])
      return 0
    }),
  )
  const a = { name: "a", node: tell, wires: {} }
  const b = { name: "b", node: tell, wires: {} }
  await Effect.runPromise(runGraph(graph("g", [a, b], []), prepare().options).pipe(noEngine))
  await Effect.runPromise(runGraph(graph("g", [b, a], []), prepare().options).pipe(noEngine))
  expect(keys[0]).toEqual(keys[3])
  expect(keys[1]).toEqual(keys[2])
  expect(keys[0]).not.toEqual([(keys[0] as [string])[0], (keys[1] as [string, unknown])[1]])
})

test("a failing stage keeps what was made before it, closes its scope, and names itself", async () => {
  const { options, seen, kept } = prepare()
  const closed: Array<string> = []
  const error = new BadData({ where: "corpus", expected: "text", received: "nothing", fix: "give a text" })
  const failing = stage(["x"], () =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => void closed.push("scope")))
      return yield* error
    }),
  )
  const nodes = [
    { name: "first", node: constant(7), wires: {} },
    { name: "second", node: failing, wires: { x: "first" } },
  ]
  const failure = await Effect.runPromise(runGraph(graph("g", nodes, []), options).pipe(noEngine, Effect.flip))
  expect(failure).toMatchObject({ _tag: "NodeFailed", where: "g > second", fix: "give a text" })
  expect(failure.cause).toBe(error)
  expect(closed).toEqual(["scope"])
  expect(kept.map(({ stage, name }) => [stage, name])).toEqual([["first", "out"]])
  expect(seen.slice(-2)).toMatchObject([
    { type: "stage.failed", stage: "second" },
    { type: "run.ended", status: "failed" },
  ])
})

test("a stage that throws is NodeFailed too", async () => {
  const throwing = stage([], () => {
    throw new TypeError("not a function")
  })
  const failure = await Effect.runPromise(
    runGraph(graph("g", [{ name: "bad", node: throwing, wires: {} }], []), prepare().options).pipe(
      noEngine,
      Effect.flip,
    ),
  )
  expect(failure).toMatchObject({ _tag: "NodeFailed", where: "g > bad", received: "not a function" })
})

test("interruption runs the finalizers and reports the run as stopped", async () => {
  const { options, seen, kept } = prepare()
  const steps: Array<string> = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const endless = stage(["x"], () =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.sync(() => steps.push("freed")))
          yield* Deferred.succeed(started, undefined)
          return yield* Effect.never
        }),
      )
      const nodes = [
        { name: "first", node: constant(7), wires: {} },
        { name: "second", node: endless, wires: { x: "first" } },
      ]
      const fiber = yield* Effect.forkChild(runGraph(graph("g", nodes, []), options).pipe(noEngine))
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
  const failing = stage([], () =>
    Effect.gen(function* () {
      const { keep } = yield* Stage
      yield* keep("checkpoint", { "weights.bin": Uint8Array.of(1, 2, 3) })
      return yield* Effect.fail("too bad")
    }),
  )
  await Effect.runPromise(
    runGraph(graph("g", [{ name: "s", node: failing, wires: {} }], []), options).pipe(noEngine, Effect.flip),
  )
  expect(kept).toMatchObject([{ stage: "s", name: "checkpoint" }])
})

test("several outputs travel as node.port, and each has a digest of its files alone", async () => {
  const both = stage([], () => Effect.succeed({ low: 1, high: 2 }), { low: port, high: port })
  const nodes = [
    { name: "range", node: both, wires: {} },
    { name: "total", node: sum, wires: { a: "range.low", b: "range.high" } },
    { name: "three", node: constant(3), wires: {} },
  ]
  const run = runGraph(graph("g", nodes, ["total"]), prepare().options).pipe(noEngine)
  const [first, second] = [await Effect.runPromise(run), await Effect.runPromise(run)]
  expect(first.outputs).toEqual({ total: 3 })
  expect(Object.keys(first.digests.range ?? {})).toEqual(["low", "high"])
  expect(first.digests.total?.out).toBe(first.digests.three?.out)
  expect(second.digests).toEqual(first.digests)
})

test("a nested graph is a node whose stages are named outer.inner", async () => {
  const inner = graph("inner", [{ name: "one", node: constant(1), wires: {} }], ["one"])
  const nodes = [
    { name: "part", node: inner, wires: {} },
    { name: "total", node: sum, wires: { a: "part", b: "part" } },
  ]
  const { options, kept } = prepare()
  const { outputs } = await Effect.runPromise(runGraph(graph("g", nodes, ["total"]), options).pipe(noEngine))
  expect(outputs).toEqual({ total: 2 })
  expect(kept.map(({ stage }) => stage)).toEqual(["part.one", "total"])
})

test("nodes that need each other are a Cycle that names them, and a wire from nowhere is an UnknownWire", async () => {
  const cycle = [
    { name: "a", node: sum, wires: { a: "b", b: "b" } },
    { name: "b", node: sum, wires: { a: "a", b: "a" } },
  ]
  const lost = [{ name: "a", node: sum, wires: { a: "x", b: "x" } }]
  const fail = (nodes: StageGraph["nodes"]) =>
    Effect.runPromise(runGraph(graph("g", nodes, []), prepare().options).pipe(noEngine, Effect.flip))
  expect(await fail(cycle)).toMatchObject({ _tag: "Cycle", received: expect.stringContaining("a, b") })
  expect(await fail(lost)).toMatchObject({ _tag: "UnknownWire", where: "g > a" })
})

test("a stage that forgets an output is BadData that names the port", async () => {
  const forgetful = stage([], () => Effect.succeed({ low: 1 }), { low: port, high: port })
  const failure = await Effect.runPromise(
    runGraph(graph("g", [{ name: "s", node: forgetful, wires: {} }], []), prepare().options).pipe(
      noEngine,
      Effect.flip,
    ),
  )
  expect(failure).toMatchObject({ _tag: "BadData", where: "g > s > high", received: "nothing" })
})

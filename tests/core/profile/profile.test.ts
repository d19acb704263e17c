/** What a profile says of a step whose parts are known. */
import {
  chromeTrace,
  Engine,
  int32,
  type Profile,
  profile,
  spec,
  type TensorFunction,
  type TraceEvent,
  withPath,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { beforeAll, describe, expect, test } from "vitest"
import { on } from "../engine/on.js"
import { flopsOfOne, products, unequal } from "./mlp.js"

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/** Above the error of adding floats, far below the shortest kernel that is measured (a microsecond). */
const digits = 6

describe("of a step with a heavy and a light node", () => {
  let found: Profile
  const rowOf = (...path: ReadonlyArray<string>) => found.paths.find((row) => row.path.join() === path.join())!

  beforeAll(async () => {
    found = await on("onnx", profile(unequal, { runs: 12, warmup: 2 }))
  })

  test("the parts of a call are none of them negative and add up to it", () => {
    const { kernels, session, work, engine, crossing } = found.parts
    for (const part of [kernels, session, engine, crossing]) expect(part).toBeGreaterThan(0)
    expect(work).toBeGreaterThanOrEqual(0)
    expect(kernels + session + work + engine + crossing).toBeCloseTo(found.milliseconds, digits)
  })

  test("every kernel is in one row of each level: the rows without a parent add up to the call", () => {
    const roots = found.paths.filter(({ path }) => path.length === 1)
    expect(sum(roots.map(({ milliseconds }) => milliseconds))).toBeCloseTo(found.milliseconds, digits)
    expect(sum(roots.map(({ kernels }) => kernels))).toBe(found.timeline.kernels.length)
    expect(sum(found.equations.map(({ milliseconds }) => milliseconds))).toBeCloseTo(
      found.parts.kernels - rowOf("(engine)", "kernels of no node").milliseconds,
      digits,
    )
  })

  test("a node's time is that of the nodes inside it, where it does nothing by itself", () => {
    const inside = [rowOf("heavy", "first"), rowOf("heavy", "second")]
    expect(sum(inside.map(({ milliseconds }) => milliseconds))).toBeCloseTo(rowOf("heavy").milliseconds, digits)
  })

  test("the heavy node takes longer than the light one, and stands above it", () => {
    const names = found.paths.filter(({ path }) => path.length === 1).map(({ path }) => path[0])
    expect(names.indexOf("heavy")).toBeLessThan(names.indexOf("light"))
    expect(rowOf("heavy").milliseconds).toBeGreaterThan(rowOf("light").milliseconds)
  })

  test("what the step does outside of nodes has a row", () => {
    expect(rowOf("(outside of nodes)").kernels).toBeGreaterThan(0)
  })

  test("matrix products count by their shapes, and take part of the time of the kernels", () => {
    expect(found.products.flops).toBe(products * flopsOfOne)
    expect(rowOf("heavy").flops).toBe(8 * flopsOfOne)
    expect(found.products.milliseconds).toBeGreaterThan(0)
    expect(found.products.milliseconds).toBeLessThan(found.parts.kernels)
    expect(found.products.peak!.gigaflopsPerSecond).toBeGreaterThan(0)
  })

  test("a call that records its kernels takes as long as one that does not, within a busy machine's noise", () => {
    expect(found.milliseconds).toBeGreaterThan(found.unprofiled / 10)
    expect(found.milliseconds).toBeLessThan(found.unprofiled * 10)
  })

  test("memory is what values and state take", () => {
    const matrix = 4 * 256 * 256
    // Two at a time while the nodes work on one after the other; the new weights may live beside them.
    expect(found.memory.peak).toBeGreaterThanOrEqual(2 * matrix)
    expect(found.memory.peak).toBeLessThanOrEqual(3 * matrix + 64)
    expect(found.memory.held).toBeGreaterThanOrEqual(2 * matrix)
    expect(found.memory.resident).toBeGreaterThan(found.memory.held)
  })

  test("its trace parses, names every row, and everything lies inside of what stands above it", () => {
    const { traceEvents } = JSON.parse(JSON.stringify(chromeTrace(found.timeline))) as ReturnType<typeof chromeTrace>
    const events = traceEvents.filter((one): one is TraceEvent => one.ph === "X")
    const rows = new Set(traceEvents.flatMap((one) => (one.name === "thread_name" ? [one.tid] : [])))
    expect(events.every(({ tid }) => rows.has(tid))).toBe(true)
    // Microseconds; both clocks are rounded.
    const slack = 2
    const encloses = (outer: TraceEvent, inner: TraceEvent): boolean =>
      outer.tid < inner.tid && outer.ts <= inner.ts + slack && outer.ts + outer.dur >= inner.ts + inner.dur - slack
    expect(events.filter((inner) => inner.tid > 0 && !events.some((outer) => encloses(outer, inner)))).toEqual([])
    for (const kernel of events.filter(({ cat }) => cat === "kernel")) {
      const nodes = events.filter((one) => one.cat === "node" && encloses(one, kernel)).map(({ name }) => name)
      expect(nodes.join(" > ")).toBe(kernel.args.path)
    }
    expect(new Set(events.filter(({ cat }) => cat === "node").map(({ args }) => args.path))).toEqual(
      new Set(found.paths.filter(({ kernels }) => kernels > 0).map(({ path }) => path.join(" > "))),
    )
  })
})

/** As large as an index may be, or larger. */
const lookup = (spare: number): TensorFunction => ({
  name: "lookup",
  state: { params: { table: spec("float32", [50, 4]) } },
  inputs: { ids: spec("int32", [8, 3]) },
  body: ({ params }, { ids }) => ({
    outputs: {
      rows: tf.gather(params!.table!, tf.reshape(ids!, [24])),
      hot: tf.oneHot(ids!, 40 - spare),
      largest: tf.max(ids!),
    },
  }),
})

test("what the runtime fuses is of the node whose product it is", async () => {
  const scaled: TensorFunction = {
    name: "scaled",
    state: {},
    inputs: { x: spec("float32", [2, 32, 32]) },
    body: (_, { x }) => ({
      outputs: {
        y: withPath("outer", () =>
          withPath("inner", () => tf.matMul(tf.mul(x!, 0.5) as tf.Tensor3D, x! as tf.Tensor3D)),
        ),
      },
    }),
  }
  const { timeline } = await on("onnx", profile(scaled, { runs: 3, peak: false }))
  const found = timeline.kernels.filter(({ path }) => path[0] !== "(engine)")
  expect(found.map(({ op, path }) => [op, path])).toEqual([["FusedMatMul", ["outer", "inner"]]])
  expect(timeline.kernels.filter(({ op }) => op.includes("MatMul"))).toEqual(found)
})

test("random integers stay below what the step indexes with them", async () => {
  const found = await on("onnx", profile(lookup(0), { runs: 3, peak: false }))
  expect(found.milliseconds).toBeGreaterThan(0)
})

test("the rows of state that the engine writes by itself are shown as its own work", async () => {
  const notes: TensorFunction = {
    name: "notes",
    state: { memory: { table: spec("float32", [64, 256]) } },
    inputs: { at: spec("int32", [32]), rows: spec("float32", [32, 256]) },
    body: ({ memory }, { at, rows }) => ({
      outputs: { sum: tf.sum(rows!) },
      state: { memory: { table: tf.tensorScatterUpdate(memory!.table!, tf.reshape(at!, [32, 1]), rows!) } },
    }),
  }
  const found = await on("onnx", profile(notes, { runs: 4, peak: false }))
  const row = found.paths.find(({ path }) => path.join() === "(engine),rows of state")!
  expect(row.milliseconds).toBeGreaterThan(0)
  expect(row.milliseconds).toBe(found.parts.work)
  const roots = found.paths.filter(({ path }) => path.length === 1)
  expect(sum(roots.map(({ milliseconds }) => milliseconds))).toBeCloseTo(found.milliseconds, digits)
})

test("a step that fails is the step's error, and the engine measures on", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const wrong = { inputs: { ids: int32([8, 3], new Int32Array(24).fill(70)) }, runs: 2, peak: false }
      expect(yield* Effect.flip(profile(lookup(0), wrong))).toMatchObject({ _tag: "EngineFailed", where: "lookup" })
      expect((yield* profile(lookup(1), { runs: 2, peak: false })).runs).toBe(2)
    }),
  ))

test("while a program is profiled it computes what it always does", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { compile, allocate } = yield* Engine
      const executable = yield* compile(unequal)
      const weight = { dtype: "float32", shape: [256, 256], data: new Float32Array(256 * 256).fill(1) } as const
      const x = { dtype: "float32", shape: [256, 256], data: new Float32Array(256 * 256).fill(0.001) } as const
      const [measured, plain] = [yield* allocate({ weight }), yield* allocate({ weight })]
      yield* executable.profile!({ state: { params: measured }, inputs: { x } }, { warmup: 1, runs: 2 })
      // Three runs with nothing recorded and three that were.
      for (let i = 0; i < 6; i++) yield* executable.run({ state: { params: plain }, inputs: { x } })
      expect((yield* measured.read()).weight).toEqual((yield* plain.read()).weight)
    }),
  ))

test("an engine that runs op by op does not measure, and says which one does", async () => {
  const error = await on("tfjs:cpu", Effect.flip(profile(unequal)))
  expect(error).toMatchObject({ _tag: "EngineFailed", received: "tfjs:cpu", fix: "use the engine onnx" })
})

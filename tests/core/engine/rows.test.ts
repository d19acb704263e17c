/** State that is changed by rows: the engine may write them itself, and no caller can tell. */
import { Engine, float32, type HostTensors, int32, type State, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { native } from "./installed.js"
import { on } from "./on.js"

const [count, width] = [5, 2]

/** Two tables, of which one is read after it was written and the other before. Refused where the sum of the rows passes a limit. */
const notes: TensorFunction = {
  name: "notes",
  state: { memory: { after: spec("float32", [count, width]), before: spec("float32", [count, width]) } },
  inputs: { at: spec("int32", [3]), rows: spec("float32", [3, width]), limit: spec("float32", []) },
  commitIf: "within",
  body: (state, { at, rows, limit }) => {
    const { after, before } = state.memory!
    const places = tf.reshape(at!, [3, 1])
    const written = tf.tensorScatterUpdate(after!, places, rows!)
    const alsoWritten = tf.tensorScatterUpdate(before!, places, tf.neg(rows!))
    return {
      outputs: {
        new: tf.sum(written, 0),
        old: tf.sum(before!, 0),
        within: tf.less(tf.sum(rows!), limit!),
      },
      state: { memory: { after: written, before: alsoWritten } },
    }
  },
}

const table = (from: number) =>
  float32(
    [count, width],
    Array.from({ length: count * width }, (_, i) => from + i),
  )
const prepared = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  return { executable: yield* compile(notes), memory: yield* allocate({ after: table(0), before: table(100) }) }
})
const read = (memory: State) => Effect.map(memory.read(), ({ after, before }) => [[...after!.data], [...before!.data]])

/** What the tables hold after the rows were put into them, one after the other. */
const reference = (steps: ReadonlyArray<{ at: ReadonlyArray<number>; rows: ReadonlyArray<number> }>, limit: number) => {
  const [after, before] = [[...table(0).data], [...table(100).data]]
  for (const { at, rows } of steps) {
    if (!(rows.reduce((sum, v) => sum + v, 0) < limit)) continue
    at.forEach((row, i) => {
      for (let j = 0; j < width; j++) {
        after[row * width + j] = rows[i * width + j]!
        before[row * width + j] = -rows[i * width + j]!
      }
    })
  }
  return [after, before]
}

const each = (steps: ReadonlyArray<{ at: ReadonlyArray<number>; rows: ReadonlyArray<number> }>): HostTensors => ({
  at: int32(
    [steps.length, 3],
    steps.flatMap(({ at }) => at),
  ),
  rows: float32(
    [steps.length, 3, width],
    steps.flatMap(({ rows }) => rows),
  ),
})

const stepsOf = fc.array(
  fc.record({
    at: fc.array(fc.nat(count - 1), { minLength: 3, maxLength: 3 }),
    rows: fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 3 * width, maxLength: 3 * width }),
  }),
  { minLength: 1, maxLength: 6 },
)

describe.each(["onnx", "tfjs:cpu", "tfjs:wasm", ...native])("%s", (engine) => {
  test("rows are written one after the other, by a loop as by single calls, and refused steps write none", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        for (const [steps, limit] of fc.sample(fc.tuple(stepsOf, fc.constantFrom(1e9, 4)), { numRuns: 12, seed: 7 })) {
          const limited = { limit: float32([], [limit]) }
          yield* memory.write({ after: table(0), before: table(100) })
          const stacked = yield* executable.loop({
            state: { memory },
            steps: steps.length,
            inputs: limited,
            each: each(steps),
            collect: ["new", "old"],
          })
          const looped = yield* read(memory)
          expect(looped).toEqual(reference(steps, limit))
          yield* memory.write({ after: table(0), before: table(100) })
          for (const [i, step] of steps.entries()) {
            const out = yield* executable.run({
              state: { memory },
              inputs: { at: int32([3], step.at), rows: float32([3, width], step.rows), ...limited },
            })
            for (const name of ["new", "old"]) {
              expect([...out[name]!.data]).toEqual([...stacked[name]!.data.slice(i * width, (i + 1) * width)])
            }
          }
          expect(yield* read(memory)).toEqual(looped)
        }
      }),
    ))

  test("a row outside of the table makes the call fail, and what the steps before it wrote is gone", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { executable, memory } = yield* prepared
        const good = { at: [0, 1, 2], rows: [1, 2, 3, 4, 5, 6] }
        const bad = { at: [0, 1, count], rows: [1, 2, 3, 4, 5, 6] }
        const error = yield* Effect.flip(
          executable.loop({
            state: { memory },
            steps: 2,
            inputs: { limit: float32([], [1e9]) },
            each: each([good, bad]),
            collect: [],
          }),
        )
        expect(error._tag).toBe("EngineFailed")
        expect(yield* read(memory)).toEqual([[...table(0).data], [...table(100).data]])
        yield* executable.run({
          state: { memory },
          inputs: { at: int32([3], good.at), rows: float32([3, width], good.rows), limit: float32([], [1e9]) },
        })
        expect(yield* read(memory)).toEqual(reference([good], 1e9))
      }),
    ))
})

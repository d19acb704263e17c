import "@tensorflow/tfjs-backend-cpu"
import { captureSync, Engine, type HostTensors, optimize, sizeOf, spec, type TensorFunction } from "@millrace/core"
import { type SparseBlocks, type SparseGrid, type SparsePattern, sparseAttention, sparseBlocks } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { on } from "../core/engine/on.js"
import { hostOf, pure } from "../core/program/values.js"
import { distance } from "../core/train/training.js"
import { denseAttention, grids, patterns } from "./reference/sparse.js"

type Attention = (blocks: SparseBlocks, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor

interface Case {
  readonly grid: SparseGrid
  readonly pattern: SparsePattern
  readonly b: number
  readonly h: number
  readonly e: number
}

const shapeOf = ({ grid, b, h, e }: Case): [number, number, number, number] => [
  b,
  h,
  grid.text + grid.rows * grid.columns,
  e,
]

/** Attended values, and the gradients of their sum weighed by `w`. */
const withGradients = (attend: Attention, each: Case): TensorFunction => {
  const inputs = Object.fromEntries(["q", "k", "v", "w"].map((name) => [name, spec("float32", shapeOf(each))]))
  const blocks = sparseBlocks(each.grid, each.pattern)
  return pure(inputs, ({ q, k, v, w }) => {
    const loss = (...[q, k, v]: ReadonlyArray<tf.Tensor>): tf.Scalar => tf.sum(tf.mul(attend(blocks, q!, k!, v!), w!))
    const [dq, dk, dv] = tf.grads(loss)([q!, k!, v!]) as [tf.Tensor, tf.Tensor, tf.Tensor]
    return { y: attend(blocks, q!, k!, v!), dq, dk, dv }
  })
}

const run = (fn: TensorFunction, inputs: HostTensors): Effect.Effect<HostTensors, unknown, Engine> =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const executable = yield* engine.compile(fn)
      return yield* executable.run({ inputs })
    }),
  )

const cases = (text: number, side: number): fc.Arbitrary<Case> =>
  fc.record({
    grid: grids(text, side),
    pattern: patterns,
    b: fc.integer({ min: 1, max: 2 }),
    h: fc.integer({ min: 1, max: 3 }),
    e: fc.integer({ min: 1, max: 5 }),
  })

/** Blocks of one line and of several, one and many blocks, lines whose number is prime. */
const sizes: ReadonlyArray<readonly [text: number, rows: number, columns: number]> = [
  [6, 4, 4],
  [1, 1, 1],
  [3, 1, 9],
  [3, 9, 1],
  [5, 7, 11],
  [2, 16, 16],
  [4, 3, 70],
  [4, 70, 3],
]

/** The same numbers as dense attention under the mask, in units of the largest. */
const equalsDense = (each: Case, inputs: HostTensors, tolerance = 1e-5) =>
  Effect.gen(function* () {
    const expected = yield* run(withGradients(denseAttention, each), inputs)
    const got = yield* run(withGradients(sparseAttention, each), inputs)
    for (const [name, { data }] of Object.entries(expected)) {
      expect(distance(got[name]!.data, data), `${name} of ${JSON.stringify(each)}`).toBeLessThanOrEqual(tolerance)
    }
  })

describe.each(["tfjs:cpu", "onnx"])("on %s", (engine) => {
  test("equals dense attention under the mask, value and gradients, at any size", { timeout: 60_000 }, () =>
    on(
      engine,
      Effect.gen(function* () {
        const service = yield* Engine
        const statement = (each: Case, seed: number): Promise<void> => {
          const inputs = hostOf(withGradients(sparseAttention, each).inputs, seed)
          return Effect.runPromise(Effect.provideService(equalsDense(each, inputs), Engine, service))
        }
        yield* Effect.promise(() => fc.assert(fc.asyncProperty(cases(6, 9), fc.nat(1000), statement), { numRuns: 25 }))
      }),
    ),
  )

  test.each<SparsePattern>([
    { kind: "row" },
    { kind: "column" },
    { kind: "convolution", kernel: 5 },
    { kind: "convolution", kernel: 11 },
  ])("equals it where blocks have one line or several, and one row or column is all: %o", (pattern) =>
    on(
      engine,
      Effect.gen(function* () {
        for (const [text, rows, columns] of sizes) {
          const each: Case = { grid: { text, rows, columns }, pattern, b: 1, h: 1, e: 4 }
          yield* equalsDense(each, hostOf(withGradients(sparseAttention, each).inputs, 3))
        }
      }),
    ),
  )

  test("scores of hundreds overflow nothing, whichever of text and image they favour", () =>
    on(
      engine,
      Effect.gen(function* () {
        const each: Case = { grid: { text: 3, rows: 4, columns: 5 }, pattern: { kind: "row" }, b: 1, h: 2, e: 2 }
        const plain = hostOf(withGradients(sparseAttention, each).inputs, 5)
        const times = (name: string, factor: number): HostTensors => ({
          ...plain,
          [name]: { ...plain[name]!, data: (plain[name]!.data as Float32Array).map((x) => x * factor) } as never,
        })
        // A score of 1,000 is rounded by 3e-5, and so is its exponential.
        yield* equalsDense(each, times("k", 300), 1e-4)
        yield* equalsDense(each, times("k", -300), 1e-4)
      }),
    ))
})

test("without the pattern's mask it would not equal it", () => {
  const each: Case = { grid: { text: 2, rows: 3, columns: 4 }, pattern: { kind: "row" }, b: 1, h: 1, e: 3 }
  const other = { ...each, pattern: { kind: "column" } as const }
  return on(
    "tfjs:cpu",
    Effect.gen(function* () {
      const inputs = hostOf(withGradients(sparseAttention, each).inputs, 1)
      const expected = yield* run(withGradients(denseAttention, each), inputs)
      const got = yield* run(withGradients(sparseAttention, other), inputs)
      for (const name of ["y", "dq", "dk", "dv"]) {
        expect(distance(got[name]!.data, expected[name]!.data), name).toBeGreaterThan(1e-2)
      }
    }),
  )
})

describe("at the size of the paper", () => {
  const each = (pattern: SparsePattern): Case => ({
    grid: { text: 256, rows: 32, columns: 32 },
    pattern,
    b: 1,
    h: 2,
    e: 64,
  })
  /** Elements of the largest value of the program, forward and backward. */
  const largest = (attend: Attention, pattern: SparsePattern): number => {
    const program = optimize(captureSync(withGradients(attend, each(pattern))))
    const values = [
      ...program.constants.map(({ value }) => value),
      ...program.equations.flatMap((made) => made.outputs),
    ]
    return Math.max(...values.map(({ shape }) => sizeOf(shape)))
  }

  test.each<SparsePattern>([{ kind: "row" }, { kind: "column" }, { kind: "convolution", kernel: 11 }])(
    "no value is larger than the scores of image tokens against the text and one more: %o",
    (pattern) => {
      expect(largest(sparseAttention, pattern)).toBeLessThanOrEqual(2 * 1024 * 257)
    },
  )

  test("dense attention holds all pairs, more than six times as many", () => {
    expect(largest(denseAttention, { kind: "row" })).toBe(2 * 1280 * 1280)
  })

  test.each<[SparsePattern, number]>([
    [{ kind: "row" }, 64],
    [{ kind: "column" }, 32],
    [{ kind: "convolution", kernel: 11 }, 229],
  ])("a query of %o is scored against %i keys of its block", (pattern, keys) => {
    expect(sparseBlocks(each(pattern).grid, pattern).keys).toBe(keys)
  })
})

test("a sequence of another length is refused with both lengths", () => {
  const blocks = sparseBlocks({ text: 3, rows: 2, columns: 2 }, { kind: "row" })
  const x = tf.zeros([1, 1, 8, 2])
  expect(() => sparseAttention(blocks, x, x, x)).toThrow(/3 \+ 2 · 2 positions[\s\S]*8 positions/)
})

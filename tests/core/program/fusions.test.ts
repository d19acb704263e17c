/** The kernels that the passes make of several: each under its own law, on the engine that has it as one kernel. */
import {
  captureSync,
  Engine,
  Engines,
  embed,
  float32,
  type HostTensors,
  int32,
  optimize,
  type Specs,
  spec,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime } from "effect"
import fc from "fast-check"
import { afterAll, expect, test } from "vitest"
import { seed } from "../../laws/replay.js"
import { eager, type Named, pure } from "./values.js"

const runtime = ManagedRuntime.make(Engines.layer("onnx", { threads: 2 }))
afterAll(() => runtime.dispose())

const runs = process.env.MILLRACE_LONG === undefined ? 40 : 1000
const onOnnx = (specs: Specs, inputs: HostTensors, body: (inputs: Named) => Named): Promise<HostTensors> =>
  runtime.runPromise(
    Effect.scoped(
      Effect.flatMap(Engine, ({ compile }) => Effect.flatMap(compile(pure(specs, body)), ({ run }) => run({ inputs }))),
    ),
  )
const ops = (specs: Specs, body: (inputs: Named) => Named): ReadonlyArray<string> =>
  optimize(captureSync(pure(specs, body))).equations.map(({ op }) => op)

const f = (...shape: ReadonlyArray<number>) => spec("float32", shape)
const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)
const values = (shape: ReadonlyArray<number>, phase: number) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + phase)),
  )
const isClose = (got: number, wanted: number, tolerance: number): boolean =>
  got === wanted || (Number.isNaN(got) && Number.isNaN(wanted)) || Math.abs(got - wanted) <= tolerance

const shapesOf = (rank: number) => fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: rank })
const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e25, -0, 1e-30)

test("the sum of squares is one kernel, and is the float64 sum within 1e-6, what is not a number included", () =>
  fc.assert(
    fc.asyncProperty(
      shapesOf(4),
      fc.nat(1000),
      fc.option(odd, { nil: 1, freq: 3 }),
      fc.boolean(),
      async (shape, phase, bad, twice) => {
        const x = values(shape, phase)
        x.data[phase % x.data.length] = bad
        const body = ({ x: given }: Named): Named => ({ s: tf.sum(twice ? tf.mul(given!, given!) : tf.square(given!)) })
        const wanted = Math.fround([...x.data].reduce((sum, v) => sum + v * v, 0))
        if (x.data.length > 1) expect(ops({ x: f(...shape) }, body)).toEqual(["SumOfSquares"])
        const got = (await onOnnx({ x: f(...shape) }, { x }, body)).s!
        expect(got.shape).toEqual([])
        expect(isClose(got.data[0]!, wanted, 1e-6 * Math.abs(wanted)), `${got.data[0]} is not ${wanted}`).toBe(true)
      },
    ),
    { seed, numRuns: runs },
  ))

test("squares that something else reads are made, and their sum over some axes alone stays a sum", () => {
  const specs = { x: f(3, 4) }
  const both = ({ x }: Named): Named => {
    const q = tf.square(x!)
    return { s: tf.sum(q), q }
  }
  expect(ops(specs, both)).toEqual(["Square", "Sum"])
  expect(ops(specs, ({ x }) => ({ s: tf.sum(tf.square(x!), 0) }))).toEqual(["Square", "Sum"])
})

test("a product times a number is one kernel, for every rank, transpose and factor, and c · NaN is NaN for c = 0", () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        m: fc.integer({ min: 1, max: 7 }),
        n: fc.integer({ min: 1, max: 7 }),
        k: fc.integer({ min: 1, max: 7 }),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        first: fc.boolean(),
        factor: fc.constantFrom(0, -0, -1, 0.5, 3, -0.125, 1e-30, 1e30, 1 / 3),
        bad: fc.option(fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), {
          nil: 1,
          freq: 3,
        }),
        phase: fc.nat(1000),
      }),
      async ({ batch, m, n, k, transposeA, transposeB, first, factor, bad, phase }) => {
        const [a, b] = [
          values([...batch, ...(transposeA ? [k, m] : [m, k])], phase),
          values([...batch, ...(transposeB ? [n, k] : [k, n])], phase + 1),
        ]
        a.data[phase % a.data.length] = bad
        const specs = { a: f(...a.shape), b: f(...b.shape) }
        const body = (given: Named): Named => {
          const product = tf.matMul(given.a!, given.b!, transposeA, transposeB)
          return { p: first ? tf.mul(factor, product) : tf.mul(product, factor) }
        }
        expect(ops(specs, body)).toContain("ScaledMatMul")
        const [got, wanted] = [(await onOnnx(specs, { a, b }, body)).p!, eager(pure(specs, body), { a, b }).p!]
        expect(got.shape).toEqual(wanted.shape)
        wanted.data.forEach((value, i) => {
          const tolerance = 1e-5 * Math.max(Math.abs(factor) * k, Math.abs(value))
          expect(isClose(got.data[i]!, value, tolerance), `${got.data[i]} is not ${value}, times ${factor}`).toBe(true)
        })
      },
    ),
    { seed, numRuns: runs },
  ))

test("the gradient of a table read and used in other ways is one kernel, adds what a float64 loop adds, and spoils no operand", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(100), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.nat(1000),
      async (vocabulary, width, places, left, phase) => {
        const ids = places.map((place) => place % vocabulary)
        const [onto, dy] = [values([vocabulary, width], phase), values([ids.length, width], phase + 1)]
        const specs = { onto: f(vocabulary, width), dy: f(ids.length, width), ids: spec("int32", [ids.length]) }
        const body = ({ onto: other, dy: up, ids: at }: Named): Named => {
          const table = tf.zeros([vocabulary, width])
          const gradient = tf.grad((t) => tf.sum(tf.mul(embed(t, at!), up!)))(table)
          const base = tf.neg(other!)
          return { sum: left ? tf.add(gradient, base) : tf.add(base, gradient), base, other: tf.clone(other!) }
        }
        const made = optimize(captureSync(pure(specs, body))).equations.filter(({ op }) => op === "EmbedGrad")
        expect(made.map(({ inputs }) => inputs.length)).toEqual([3])
        const out = await onOnnx(specs, { onto, dy, ids: int32([ids.length], ids) }, body)
        const wanted = [...onto.data].map((v) => -v)
        ids.forEach((row, j) => {
          for (let i = 0; i < width; i++) wanted[row * width + i]! += dy.data[j * width + i]!
        })
        wanted.forEach((value, i) => {
          const untouched = !ids.includes(Math.floor(i / width))
          expect(isClose(out.sum!.data[i]!, value, untouched ? 0 : 1e-5), `${out.sum!.data[i]} is not ${value}`).toBe(
            true,
          )
        })
        expect([...out.base!.data]).toEqual([...onto.data].map((v) => -v))
        expect([...out.other!.data]).toEqual([...onto.data])
      },
    ),
    { seed, numRuns: runs },
  ))

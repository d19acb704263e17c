import {
  captureSync,
  crossEntropy,
  Engine,
  Engines,
  embed,
  gelu,
  interpret,
  layerNorm,
  linear,
  logSoftmax,
  optimize,
  softmax,
  spec,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { native } from "../engine/installed.js"
import { eager } from "../program/values.js"
import * as reference from "./reference.js"

type Shape = ReadonlyArray<number>
type Tensors = ReadonlyArray<tf.Tensor>

interface Case {
  readonly name: string
  /** Shapes of the differentiable operands. */
  readonly shapes: ReadonlyArray<Shape>
  readonly ids?: { readonly shape: Shape; readonly below: number }
  readonly op: (xs: Tensors, ids: tf.Tensor) => tf.Tensor
  readonly oracle: (xs: ReadonlyArray<reference.Values>, ids: reference.Values) => reference.Values
  /** Equations of the forward pass that are not reshapes. */
  readonly forward: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    name: "layerNorm",
    shapes: [[2, 3, 5], [5], [5]],
    op: ([x, gain, bias]) => layerNorm(x!, gain as tf.Tensor1D, bias as tf.Tensor1D, 1e-3),
    oracle: ([x, gain, bias]) => reference.layerNorm(x!, gain!, bias!, 1e-3),
    forward: ["LayerNorm"],
  },
  { name: "gelu", shapes: [[3, 4]], op: ([x]) => gelu(x!), oracle: ([x]) => reference.gelu(x!), forward: ["GeluTanh"] },
  {
    name: "embed",
    shapes: [[4, 3]],
    ids: { shape: [2, 3], below: 4 },
    op: ([table], ids) => embed(table!, ids),
    oracle: ([table], ids) => reference.embed(table!, 3, ids),
    forward: ["GatherV2"],
  },
  {
    name: "crossEntropy",
    shapes: [[2, 3, 4]],
    ids: { shape: [2, 3], below: 4 },
    op: ([logits], ids) => crossEntropy(logits!, ids),
    oracle: ([logits], ids) => reference.crossEntropy(logits!, ids),
    forward: ["LogSoftmax", "Add", "GatherV2", "Neg"],
  },
  {
    name: "softmax",
    shapes: [[2, 3, 4]],
    op: ([x]) => softmax(x!),
    oracle: ([x]) => reference.softmax(x!, 4),
    forward: ["Softmax"],
  },
  {
    name: "logSoftmax",
    shapes: [[2, 4]],
    op: ([x]) => logSoftmax(x!),
    oracle: ([x]) => reference.logSoftmax(x!, 4),
    forward: ["LogSoftmax"],
  },
  {
    name: "linear",
    shapes: [[2, 3, 4], [4, 5], [5]],
    op: ([x, w, b]) => linear(x!, w!, b),
    oracle: ([x, w, b]) => reference.linear(x!, w!, b!),
    forward: ["_FusedMatMul"],
  },
  {
    name: "linear without bias",
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    op: ([x, w]) => linear(x!, w!),
    oracle: ([x, w]) => reference.linear(x!, w!, [0, 0]),
    forward: ["BatchMatMul"],
  },
]

const size = (shape: Shape): number => shape.reduce((n, d) => n * d, 1)
const finite = (length: number) =>
  fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: length, maxLength: length })

const inputsOf = (c: Case) =>
  fc.record({
    xs: fc.tuple(...c.shapes.map((shape) => finite(size(shape)))),
    ids: fc.array(fc.nat((c.ids?.below ?? 1) - 1), {
      minLength: size(c.ids?.shape ?? [0]),
      maxLength: size(c.ids?.shape ?? [0]),
    }),
  })

/** Σ weights · op(x): its gradient exercises a different dy at every element. */
const weighted = (out: tf.Tensor): tf.Tensor => tf.sum(tf.mul(out, tf.reshape(tf.range(1, out.size + 1), out.shape)))

const close = (got: ArrayLike<number>, wanted: reference.Values, tolerance: number): void => {
  expect(got.length).toBe(wanted.length)
  wanted.forEach((v, i) => {
    expect(Math.abs(got[i]! - v), `[${i}]: ${got[i]} and ${v}`).toBeLessThanOrEqual(tolerance * (1 + Math.abs(v)))
  })
}

for (const c of cases) {
  describe(c.name, () => {
    const fn = {
      name: c.name,
      state: {},
      inputs: {
        ...Object.fromEntries(c.shapes.map((shape, i) => [`x${i}`, spec("float32", shape)])),
        ...(c.ids ? { ids: spec("int32", c.ids.shape) } : {}),
      },
      body: (_: unknown, given: Readonly<Record<string, tf.Tensor>>) => {
        const xs = c.shapes.map((_, i) => given[`x${i}`]!)
        const ids = given.ids ?? tf.zeros([0])
        const grads = tf.grads((...args: Array<tf.Tensor>) => weighted(c.op(args, ids)))(xs)
        return { outputs: { y: c.op(xs, ids), ...Object.fromEntries(grads.map((g, i) => [`g${i}`, g])) } }
      },
    }
    const program = optimize(captureSync(fn))
    const hosts = (xs: ReadonlyArray<reference.Values>, ids: reference.Values) => ({
      ...Object.fromEntries(
        xs.map((x, i) => [`x${i}`, { ...spec("float32", c.shapes[i]!), data: Float32Array.from(x) }]),
      ),
      ...(c.ids ? { ids: { ...spec("int32", c.ids.shape), data: Int32Array.from(ids) } } : {}),
    })

    test("equals the plain loops, captured and eager, forward and backward", () => {
      fc.assert(
        fc.property(inputsOf(c), ({ xs: given, ids }) => {
          const xs = given.map((x) => x.map(Math.fround))
          const y = c.oracle(xs, ids)
          const weights = y.map((_, i) => i + 1)
          const gradients = xs.map((x, i) => reference.gradient((v) => c.oracle(xs.with(i, [...v]), ids), x, weights))
          const captured = interpret(program, hosts(xs, ids))
          for (const run of [captured, eager(fn, hosts(xs, ids))]) {
            close(run.y!.data, y, 1e-5)
            gradients.forEach((gradient, i) => {
              close(run[`g${i}`]!.data, gradient, 5e-4)
            })
          }
        }),
        { numRuns: 20 },
      )
    })

    test.each(["tfjs:wasm", ...native])("gives the same on %s", async (engine) => {
      const xs = c.shapes.map((shape, i) => Array.from({ length: size(shape) }, (_, k) => Math.sin(3 * k + i)))
      const ids = Array.from({ length: size(c.ids?.shape ?? [0]) }, (_, k) => (2 * k + 1) % 4)
      const expected = interpret(program, hosts(xs, ids))
      const got = await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const engine = yield* Engine
            const executable = yield* engine.compile(fn)
            return yield* executable.run({ inputs: hosts(xs, ids) })
          }),
        ).pipe(Effect.provide(Engines.layer(engine))),
      )
      for (const [name, { data }] of Object.entries(expected)) close(got[name]!.data, [...data], 1e-5)
    })

    test("is recorded as one kernel, or as few", () => {
      const forward = optimize(
        captureSync({
          ...fn,
          body: (_, given) => ({
            outputs: {
              y: c.op(
                c.shapes.map((_, i) => given[`x${i}`]!),
                given.ids ?? tf.zeros([0]),
              ),
            },
          }),
        }),
      )
      expect(forward.equations.map(({ op }) => op).filter((op) => op !== "Reshape")).toEqual(c.forward)
    })
  })
}

test("logits that are not numbers spoil their own position and no other, forward and backward", () => {
  const logits = tf.tensor2d([
    [1, 2, 3],
    [Number.NaN, 1, 2],
    [0, 0, Number.NEGATIVE_INFINITY],
  ])
  const labels = tf.tensor1d([0, 1, 1], "int32")
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
    tf.sum(tf.where(tf.tensor1d([true, false, true], "bool"), crossEntropy(x, labels), tf.zeros([3]))),
  )(logits)
  const loss = crossEntropy(logits, labels).dataSync()
  expect([...loss].map(Number.isNaN)).toEqual([false, true, false])
  close([loss[0]!, loss[2]!], [2.4076059, Math.log(2)], 1e-6)
  expect(Number.isFinite(value.dataSync()[0])).toBe(true)
  const rows = grad.arraySync() as Array<Array<number>>
  expect([...rows[0]!, ...rows[2]!].every(Number.isFinite)).toBe(true)
})

test("logits of any size have a finite loss", () => {
  const loss = crossEntropy(tf.tensor2d([[1e4, -1e4, 0]]), tf.tensor1d([1], "int32"))
  expect(loss.dataSync()[0]).toBe(2e4)
})

test("gelu is finite far from zero, and so is its gradient", () => {
  const x = tf.tensor1d([-1e4, -50, 0, 50, 1e4])
  expect([...gelu(x).dataSync()].map((v) => v + 0)).toEqual([0, 0, 0, 50, 1e4])
  expect([...tf.grad(gelu)(x).dataSync()].map((v) => v + 0)).toEqual([0, 0, 0.5, 1, 1])
})

test("a row that two ids name gets both gradients, a row that none names gets zero", () => {
  const grad = tf.grad((table) => tf.sum(embed(table, tf.tensor1d([2, 0, 2], "int32"))))(tf.zeros([4, 1]))
  expect([...grad.dataSync()]).toEqual([1, 0, 2, 0])
})

test("captured ops free what they made, and so do eager ones under tidy", () => {
  const before = tf.memory().numTensors
  tf.tidy(() => {
    const x = tf.ones([2, 4])
    tf.grad((z) => tf.sum(layerNorm(gelu(z), tf.ones([4]), tf.zeros([4]))))(x)
  })
  expect(tf.memory().numTensors).toBe(before)
})

test("the gradient of a broadcast is a sum, at any rank, in one kernel", () => {
  const grad = tf.grad((x: tf.Tensor) => weighted(tf.tile(x, [1, 3, 1, 2, 1])))(tf.zeros([2, 1, 1, 2, 1]))
  const weights = (batch: number, place: number): number =>
    Array.from({ length: 12 }, (_, k) => k).reduce((n, k) => (k % 2 === place ? n + batch * 12 + k + 1 : n), 0)
  expect([...grad.dataSync()]).toEqual([weights(0, 0), weights(0, 1), weights(1, 0), weights(1, 1)])
  const program = captureSync({
    name: "broadcast",
    state: {},
    inputs: { x: spec("float32", [1, 50, 1]) },
    body: (_, { x }) => ({
      outputs: { g: tf.grad((z: tf.Tensor) => tf.sum(tf.square(tf.broadcastTo(z, [40, 50, 60]))))(x!) },
    }),
  })
  expect(optimize(program).equations.map(({ op }) => op)).toEqual(["Multiply", "Tile", "Sum"])
})

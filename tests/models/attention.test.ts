/**
 * The gradient that attention brings along, against central differences and against the composite operations.
 * Axes   b batch, t position, s key position, h heads, e head width
 */
import { Engine, Engines, float32, type HostTensor, softmax, spec, type TensorFunction } from "@millrace/core"
import { attention } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, ManagedRuntime } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { grid, size } from "../laws/examples.js"
import { finiteDifference } from "../laws/finiteDifference.js"
import { seed } from "../laws/replay.js"

interface Sizes {
  readonly b: number
  readonly h: number
  readonly t: number
  readonly s: number
  readonly e: number
}

/** Every shape that broadcasts to b h t s, by which axes it has whole. */
const biasShapes: ReadonlyArray<(sizes: Sizes) => ReadonlyArray<number>> = [
  ({ t, s }) => [t, s],
  ({ t, s }) => [1, 1, t, s],
  ({ b, t, s }) => [b, 1, t, s],
  ({ h, t, s }) => [1, h, t, s],
  ({ b, h, t, s }) => [b, h, t, s],
  ({ b, s }) => [b, 1, 1, s],
  ({ t }) => [t, 1],
  () => [],
]
const unseen = -1e9

interface Example extends Sizes {
  readonly bias: { readonly shape: ReadonlyArray<number>; readonly data: ReadonlyArray<number> }
  /** Queries, keys, values, and what the attended values are weighed with. */
  readonly q: ReadonlyArray<number>
  readonly k: ReadonlyArray<number>
  readonly v: ReadonlyArray<number>
  readonly r: ReadonlyArray<number>
}

/** @param hidden  whether a row may be hidden altogether */
const examples = (hidden: boolean): fc.Arbitrary<Example> =>
  fc
    .record({
      b: size(1, 2),
      h: size(1, 3),
      t: size(1, 4),
      s: size(1, 4),
      e: size(1, 4),
      bias: fc.nat(biasShapes.length - 1),
    })
    .chain(({ bias, ...sizes }) => {
      const { b, h, t, s, e } = sizes
      const shape = biasShapes[bias]!(sizes)
      const keys = shape.at(-1) ?? 1
      const open = (data: ReadonlyArray<number>): ReadonlyArray<number> =>
        hidden ? data : data.map((v, i) => (i % keys === keys - 1 && v === unseen ? 0.5 : v))
      return fc
        .record({
          bias: grid(shape, fc.oneof(fc.constant(0), fc.constant(unseen), fc.constant(-1.25))),
          q: grid([b, h, t, e]),
          k: grid([b, h, s, e]),
          v: grid([b, h, s, e]),
          r: grid([b, h, t, e]),
        })
        .map((values) => ({ ...sizes, ...values, bias: { shape, data: open(values.bias) } }))
    })

/** Σ r ∘ attention(q, k, v), in plain loops. */
const reference =
  ({ b, h, t, s, e, bias, r }: Example) =>
  (...[q, k, v]: Array<Array<number>>): number => {
    /** Where b h t s is found in the bias: axes of size 1 count for nothing. */
    const biasAt = (...place: ReadonlyArray<number>): number =>
      bias.data[bias.shape.reduce((at, d, axis) => at * d + (d === 1 ? 0 : place[axis + 4 - bias.shape.length]!), 0)]!
    let sum = 0
    for (let i = 0; i < b * h; i++) {
      for (let row = 0; row < t; row++) {
        const scores: Array<number> = []
        for (let key = 0; key < s; key++) {
          let dot = 0
          for (let c = 0; c < e; c++) dot += q![(i * t + row) * e + c]! * k![(i * s + key) * e + c]!
          scores.push(dot / Math.sqrt(e) + biasAt(Math.floor(i / h), i % h, row, key))
        }
        const top = Math.max(...scores)
        const p = scores.map((score) => Math.exp(score - top))
        const total = p.reduce((all, x) => all + x, 0)
        for (let key = 0; key < s; key++) {
          for (let c = 0; c < e; c++) sum += (p[key]! / total) * v![(i * s + key) * e + c]! * r[(i * t + row) * e + c]!
        }
      }
    }
    return sum
  }

/** Attention without a gradient of its own. */
const composite: typeof attention = (q, k, v, bias) => {
  const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(q.shape.at(-1)!))
  return tf.matMul(softmax(bias === null ? scores : tf.add(scores, bias)), v)
}

const shapesOf = ({ b, h, t, s, e, bias }: Example) => ({
  q: [b, h, t, e],
  k: [b, h, s, e],
  v: [b, h, s, e],
  r: [b, h, t, e],
  bias: bias.shape,
})
const gradients = (example: Example, attend: typeof attention): TensorFunction => ({
  name: "gradients",
  state: {},
  inputs: Object.fromEntries(Object.entries(shapesOf(example)).map(([name, shape]) => [name, spec("float32", shape)])),
  body: (_, { q, k, v, r, bias }) => {
    const loss = (...[x, y, z]: ReadonlyArray<tf.Tensor>): tf.Scalar => tf.sum(tf.mul(attend(x!, y!, z!, bias!), r!))
    const { value, grads } = tf.valueAndGrads(loss)([q!, k!, v!])
    return { outputs: { value, q: grads[0]!, k: grads[1]!, v: grads[2]!, o: attend(q!, k!, v!, bias!) } }
  },
})
const parts = ["q", "k", "v"] as const

const runtimes = new Map(
  ["tfjs:cpu", "onnx"].map((name) => [name, ManagedRuntime.make(Engines.layer(name, { threads: 1 }))] as const),
)
afterAll(() => Promise.all([...runtimes.values()].map((runtime) => runtime.dispose())))

const run = (engine: string, example: Example, attend: typeof attention = attention) =>
  runtimes.get(engine)!.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { compile } = yield* Engine
        const executable = yield* compile(gradients(example, attend))
        const shapes = shapesOf(example)
        const inputs = Object.fromEntries([
          ...(["q", "k", "v", "r"] as const).map((name) => [name, float32(shapes[name], [...example[name]])] as const),
          ["bias", float32(example.bias.shape, [...example.bias.data])] as const,
        ])
        return yield* executable.run({ inputs })
      }),
    ),
  )

/** Throws unless all differ by less than the tolerance times the largest there is, or 1. */
const expectClose = (got: HostTensor, wanted: ArrayLike<number>, tolerance: number, label: string): void => {
  expect(got.data, label).toHaveLength(wanted.length)
  const scale = Array.from(wanted).reduce((top, v) => Math.max(top, Math.abs(v)), 1)
  const worst = Array.from(wanted).reduce((top, v, i) => Math.max(top, Math.abs(v - got.data[i]!)), 0)
  expect(worst / scale, label).toBeLessThanOrEqual(tolerance)
}

const runs = process.env.MILLRACE_LONG === undefined ? 30 : 1000

describe.each(["tfjs:cpu", "onnx"])("on %s", (engine) => {
  test("the gradient of attention is that of float64 loops by central differences, hidden keys included", () =>
    fc.assert(
      fc.asyncProperty(examples(false), async (example) => {
        const loss = reference(example)
        const at = parts.map((name) => [...example[name]])
        const out = await run(engine, example)
        expectClose(out.value!, [loss(...at)], 1e-5, "value")
        const wanted = finiteDifference(loss, at)
        for (const [i, name] of parts.entries()) expectClose(out[name]!, wanted[i]!, 1e-4, `gradient of ${name}`)
      }),
      { seed, numRuns: runs },
    ))

  test("values within 1e-5 and gradients within 1e-4 are those of the composite operations on tfjs, also in a row that sees nothing", () =>
    fc.assert(
      fc.asyncProperty(examples(true), async (example) => {
        const [got, wanted] = [await run(engine, example), await run("tfjs:cpu", example, composite)]
        for (const name of ["o", "value", ...parts]) {
          expect(got[name]!.shape).toEqual(wanted[name]!.shape)
          expectClose(got[name]!, wanted[name]!.data, name === "o" || name === "value" ? 1e-5 : 1e-4, name)
        }
      }),
      { seed, numRuns: runs },
    ))

  test("a hidden key and its value get a gradient of exactly 0", async () => {
    const [b, h, t, s, e] = [1, 2, 3, 3, 2]
    const data = (n: number, phase: number) => Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + phase))
    const bias = { shape: [t, s], data: [0, 0, unseen, 0, 0, unseen, 0, 0, unseen] }
    const sizes = { b, h, t, s, e }
    const out = await run(engine, {
      ...sizes,
      bias,
      q: data(h * t * e, 1),
      k: data(h * s * e, 2),
      v: data(h * s * e, 3),
      r: data(h * t * e, 4),
    })
    for (const name of ["k", "v"]) {
      for (let head = 0; head < h; head++) {
        const at = (head * s + 2) * e
        expect([...out[name]!.data.subarray(at, at + e)].map(Math.abs)).toEqual([0, 0])
      }
    }
  })
})

/** Random elementwise updates of state, for the laws of the engines. */
import { float32, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

type T = tf.Tensor

const binary: ReadonlyArray<(a: T, b: T) => T> = [
  (a, b) => tf.add(a, b),
  (a, b) => tf.sub(a, b),
  (a, b) => tf.mul(a, b),
  // By what is not below zero: a rewrite may turn −0 into 0, and their reciprocals are as far apart as can be.
  (a, b) => tf.div(a, tf.abs(b)),
  (a, b) => tf.maximum(a, b),
  (a, b) => tf.minimum(a, b),
]
const unary: ReadonlyArray<(a: T) => T> = [
  (a) => tf.square(a),
  (a) => tf.sqrt(a),
  (a) => tf.reciprocal(tf.abs(a)),
  (a) => tf.neg(a),
  (a) => tf.abs(a),
]
/** Binary ones twice as often. */
const operation = fc.oneof(
  { weight: 2, arbitrary: fc.nat(binary.length - 1) },
  { weight: 1, arbitrary: fc.integer({ min: binary.length, max: binary.length + unary.length - 1 }) },
)

const shapes = [
  [2],
  [3],
  [15],
  [16],
  [17],
  [63],
  [64],
  [65],
  [257],
  [299],
  [300],
  [5, 1],
  [1, 17],
  [7, 3],
  [4, 64],
  [2, 3, 5],
] as const

/** One update: which operations of which operands, which results become which state, and what comes out. */
export interface Update {
  readonly shape: ReadonlyArray<number>
  readonly steps: ReadonlyArray<readonly [operation: number, left: number, right: number]>
  readonly second: number
  readonly output: number
  /** A state that nothing reads becomes 1 / √|x|: engines round it in two ways, and whatever followed could magnify that. */
  readonly root: boolean
}

export const updates: fc.Arbitrary<Update> = fc.record({
  shape: fc.constantFrom(...shapes),
  steps: fc.array(fc.tuple(operation, fc.nat(2), fc.nat(12)), { minLength: 1, maxLength: 10 }),
  second: fc.nat(12),
  output: fc.nat(12),
  root: fc.boolean(),
})

const specsOf = (shape: ReadonlyArray<number>) => ({
  a: spec("float32", shape),
  b: spec("float32", shape),
  c: spec("float32", shape),
  r: spec("float32", shape),
  n: spec("float32", []),
})

/** Four tensors and a scalar of state, an input of the same shape, and a scalar input. */
export const functionOf = ({ shape, steps, second, output, root }: Update): TensorFunction => ({
  name: "update",
  state: { s: specsOf(shape) },
  inputs: { x: spec("float32", shape), k: spec("float32", []) },
  body: ({ s }, { x, k }) => {
    const { a, b, c, n } = s!
    const pool: Array<T> = [tf.scalar(0.75), tf.scalar(-2), k!, n!, c!, b!, x!, a!]
    for (const [op, left, right] of steps) {
      // The newest are the likeliest operands: expressions grow deep.
      const [l, r] = [pool.at(-1 - (left % pool.length))!, pool.at(-1 - (right % pool.length))!]
      pool.push(op < binary.length ? binary[op]!(l, r) : unary[op - binary.length]!(l))
    }
    const whole = pool.slice(8).filter(({ rank, size }) => rank === shape.length && size > 1)
    const last = whole.at(-1) ?? tf.neg(a!)
    return {
      outputs: { out: pool[output % pool.length]! },
      state: {
        s: {
          a: last,
          b: whole[second % Math.max(1, whole.length)] ?? b!,
          n: tf.mul(n!, -0.5),
          ...(root ? { r: tf.rsqrt(tf.abs(last)) } : {}),
        },
      },
    }
  },
})

/** Mostly common numbers, with all that is special among them. */
const special = [0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, 1e30, -1e30]

/** Deterministic values; about one in eight is special. */
export const valuesOf = (shape: ReadonlyArray<number>, seed: number) => {
  const size = shape.reduce((n, d) => n * d, 1)
  return float32(
    shape,
    Float32Array.from({ length: size }, (_, i) => {
      const wave = Math.sin(12.9898 * (i + 1) + 7.31 * seed)
      const pick = Math.floor(Math.abs(Math.sin(3.7 * i + seed)) * special.length * 8)
      return size > 1 ? (special[pick] ?? 3 * wave) : 3 * wave
    }),
  )
}

/** State before the first update. */
export const initialOf = ({ shape }: Update, seed: number) => ({
  a: valuesOf(shape, seed),
  b: valuesOf(shape, seed + 1),
  c: valuesOf(shape, seed + 2),
  r: valuesOf(shape, seed + 3),
  n: valuesOf([], seed + 4),
})

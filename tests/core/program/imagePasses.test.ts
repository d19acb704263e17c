import {
  batchNorm,
  captureSync,
  defaultPasses,
  groupNorm,
  type HostTensors,
  interpret,
  optimize,
  type Program,
  silu,
  sizeOf,
  spec,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { hostOf, type Named, pure } from "./values.js"

const f = (...shape: ReadonlyArray<number>) => spec("float32", shape)
const inputs = { x: f(2, 4, 6, 3), z: f(2, 4, 6, 3), w: f(3, 2, 3, 3), v: f(3), p: f(2, 2, 3, 4) }

type T = tf.Tensor
type F = tf.Tensor4D
const [w, v, p] = [
  tf.tidy(() =>
    tf.tensor4d(
      Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)),
      [3, 2, 3, 3],
    ),
  ),
  tf.tidy(() => tf.tensor1d([0.5, -1, 2])),
  tf.tidy(() =>
    tf.tensor4d(
      Float32Array.from({ length: 36 }, (_, i) => Math.cos(i)),
      [2, 2, 3, 3],
    ),
  ),
]

const network = (a: T): T => tf.mean(tf.square(tf.relu(tf.add(tf.conv2d(a as F, w, 1, "same"), v))))

/** One random step on images. A step that does not fit is left out. */
const steps: ReadonlyArray<(a: T, b: T, k: number) => T> = [
  (a) => tf.conv2d(a as F, w, 1, "same"),
  (a) => tf.conv2d(a as F, w, 2, "same"),
  (a) => tf.conv2d(a as F, w, 1, "valid"),
  (a) => tf.add(tf.conv2d(a as F, w, 1, "same"), v),
  (a) => tf.add(v, tf.conv2d(a as F, w, 1, "same")),
  (a) => tf.conv2d(a as F, p, 2, "valid"),
  (a) => tf.conv2dTranspose(a as F, p, [a.shape[0]!, 2 * a.shape[1]!, 2 * a.shape[2]!, 3], 2, "valid"),
  (a) => tf.maxPool(a as F, 2, 2, "same"),
  (a) => tf.avgPool(a as F, [2, 1], 1, "same"),
  (a) => tf.image.resizeNearestNeighbor(a as F, [2 * a.shape[1]!, 3]),
  (a) => tf.image.resizeBilinear(a as F, [3, 5], false, true),
  (a) => groupNorm(a, v as tf.Tensor1D, v as tf.Tensor1D, 3, 0.1),
  (a) => batchNorm(a, v as tf.Tensor1D, v as tf.Tensor1D, 0.1).y,
  (a) => silu(a),
  (a) => tf.relu(a),
  (a) => tf.mul(a, v),
  (a) => tf.sub(a, 1),
  (a, b) => tf.add(a, b),
  (a, b) => tf.mul(a, b),
  (a, b) => tf.where(tf.greater(a, b), a, b),
  (a, b) => tf.addN([a, b, a]),
  (a, _, k) => tf.mul(a, tf.mean(a, [1, 2], k % 2 === 0)),
  (a, _, k) => tf.sum(a, [k % 4], true),
  (a, _, k) => tf.mul(tf.max(a, [k % 3, 3]), 2),
  (a, _, k) => tf.sum(a, k % 4),
  (a, b) => tf.concat([a, b], 3),
  (a, b, k) => tf.concat([a, b, a], k % 4),
  (a, _, k) => tf.split(a, 2, 1 + (k % 2))[k % 2]!,
  (a, _, k) => tf.slice(a, [0, k % 2, 1, 0], [-1, -1, -1, -1]),
  (a, _, k) =>
    tf.pad(a, [
      [0, 0],
      [k, 1],
      [0, k],
      [0, 0],
    ]),
  (a) => tf.tile(a, [1, 2, 1, 1]),
  (a) => tf.reverse(a, [2]),
  (a) => tf.transpose(a, [0, 3, 1, 2]),
  (a) => tf.transpose(a, [0, 2, 3, 1]),
  (a) => tf.transpose(a, [0, 2, 1, 3]),
  (a) => tf.reshape(a, [a.shape[0]!, -1, a.shape[3]!]),
  (a) => tf.reshape(a, [2, -1, 2, 3]),
  (a) => tf.grad(network)(a),
  (a) => tf.grad((u: T) => network(tf.maxPool(tf.add(u, network(u)) as F, 2, 2, "valid")))(a),
  (a) => tf.grad((u: T) => tf.mean(tf.square(groupNorm(tf.mul(u, u), v as tf.Tensor1D, v as tf.Tensor1D, 1, 0.1))))(a),
]

const arbitraryProgram: fc.Arbitrary<Program> = fc
  .array(fc.tuple(fc.nat(steps.length - 1), fc.nat(30), fc.nat(30), fc.nat(3)), { minLength: 2, maxLength: 12 })
  .map((chosen) =>
    captureSync(
      pure(inputs, ({ x, z }) => {
        const pool: Array<T> = [x!, z!]
        for (const [step, a, b, k] of chosen) {
          try {
            const made = steps[step]!(pool.at(-1 - (a % pool.length))!, pool.at(-1 - (b % pool.length))!, k)
            if (made.size > 0 && made.size < 3000 && made.rank < 6) pool.push(made)
          } catch {}
        }
        return Object.fromEntries(pool.slice(-3).map((tensor, at) => [`out${at}`, tensor])) as Named
      }),
    ),
  )

/** Equal up to the order of sums, measured by the largest number of a tensor. */
const expectAlike = (got: HostTensors, wanted: HostTensors): void => {
  expect(Object.keys(got)).toEqual(Object.keys(wanted))
  for (const [name, { data, ...type }] of Object.entries(wanted)) {
    const { data: values, ...typeGot } = got[name]!
    expect(typeGot).toEqual(type)
    const scale = [...data].reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
    data.forEach((value, i) => {
      const near = Object.is(values[i], value) || Math.abs(values[i]! - value) <= 2e-5 * scale
      if (!near && Number.isFinite(value)) expect.fail(`${name}[${i}]: ${values[i]} instead of ${value}`)
    })
  }
}

describe("on random programs of images", () => {
  for (const name of ["patches", "channels", "transposes", "biases", "all together"]) {
    test(`"${name}" never changes a result by more than the order of sums`, () => {
      const chosen = defaultPasses.filter((pass) => pass.name === name)
      // What moves transposes and biases needs images with channels first.
      const before = defaultPasses.filter((pass) => pass.name === "channels" && ["transposes", "biases"].includes(name))
      fc.assert(
        fc.property(arbitraryProgram, fc.nat(1000), (program, seed) => {
          const values = hostOf(inputs, seed)
          const prepared = before.reduce((made, { run }) => run(made), program)
          const after =
            name === "all together" ? optimize(program) : chosen.reduce((made, { run }) => run(made), prepared)
          expectAlike(interpret(after, values), interpret(program, values))
        }),
        { numRuns: name === "all together" ? 60 : 25 },
      )
    })
  }

  test("optimising twice is optimising once", () => {
    fc.assert(
      fc.property(arbitraryProgram, (program) => {
        const once = optimize(program)
        expect(optimize(once)).toBe(once)
      }),
      { numRuns: 40 },
    )
  })
})

/** Transposes of images, of more than the size of a filter. */
const turned = (program: Program): number =>
  program.equations.filter(({ op, inputs: [x] }) => op === "Transpose" && sizeOf(x!.shape) >= 2 * 8 * 8 * 3).length

const residual = (
  { image, w0, w1, w2, w3, w4, gain, shift }: Named,
  norm: (x: T, gain: tf.Tensor1D, shift: tf.Tensor1D) => T,
): T => {
  const [g, s] = [gain as tf.Tensor1D, shift as tf.Tensor1D]
  const stem = tf.maxPool(tf.relu(norm(tf.add(tf.conv2d(image as F, w0 as F, 1, "same"), s), g, s)) as F, 2, 2, "valid")
  const inner = tf.relu(norm(tf.conv2d(stem, w1 as F, 1, "same"), g, s))
  const deep = norm(tf.conv2d(tf.avgPool(inner as F, 2, 2, "valid"), w2 as F, 1, "same"), g, s)
  const short = tf.conv2d(tf.avgPool(stem, 2, 2, "valid"), w3 as F, 1, "same")
  const up = tf.image.resizeNearestNeighbor(tf.relu(tf.add(deep, short)) as F, [8, 8])
  const last = tf.conv2d(tf.concat([silu(up), stem], 3) as F, w4 as F, 1, "same")
  return tf.mean(tf.square(tf.mean(last, [1, 2])))
}

for (const [name, norm] of [
  ["batch", (x: T, g: tf.Tensor1D, s: tf.Tensor1D) => batchNorm(x, g, s).y],
  ["group", (x: T, g: tf.Tensor1D, s: tf.Tensor1D) => groupNorm(x, g, s, 4)],
] as const) {
  test(`a residual network with ${name} norms turns its images once, forward and backward together`, () => {
    const specs = {
      image: f(2, 16, 16, 3),
      w0: f(3, 3, 3, 8),
      w1: f(3, 3, 8, 8),
      w2: f(1, 1, 8, 8),
      w3: f(1, 1, 8, 8),
      w4: f(1, 1, 16, 5),
      gain: f(8),
      shift: f(8),
    }
    const names = ["w0", "w1", "w2", "w3", "w4", "gain", "shift"]
    const program = captureSync(
      pure(specs, (given) => {
        const loss = (...weights: ReadonlyArray<T>): T =>
          residual({ ...given, ...Object.fromEntries(weights.map((weight, i) => [names[i]!, weight])) } as Named, norm)
        const { value, grads } = tf.valueAndGrads(loss)(names.map((each) => given[each]!))
        return { value, ...Object.fromEntries(grads.map((grad, i) => [names[i]!, grad])) }
      }),
    )
    const fast = optimize(program)
    expect(turned(fast)).toBe(1)
    const values = hostOf(specs, 3)
    expectAlike(interpret(fast, values), interpret(program, values))
  })
}

test("a convolution whose windows lie side by side, and its gradients, are three matrix products", () => {
  const program = captureSync(
    pure({ image: f(2, 8, 12, 3), filter: f(4, 4, 3, 5) }, ({ image, filter }) => {
      const { value, grads } = tf.valueAndGrads((x, y) => tf.sum(tf.square(tf.conv2d(x as F, y as F, 4, "valid"))))([
        image!,
        filter!,
      ])
      return { value, dx: grads[0]!, df: grads[1]! }
    }),
  )
  const ops = optimize(program).equations.map(({ op }) => op)
  expect(ops.filter((op) => op.startsWith("Conv"))).toEqual([])
  expect(ops.filter((op) => op === "BatchMatMul")).toHaveLength(3)
})

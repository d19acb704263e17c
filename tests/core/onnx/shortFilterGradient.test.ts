import { Engine, Engines, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { uniforms } from "./uniforms.js"

const [batch, size, from, to] = [4, 16, 16, 24]
const image = [batch, size, size, from] as const
const slopes = [batch, size, size, to] as const

/** Σ over pixels of x under a tap times dy, in float64: [3, 3, from, to]. */
const exactly = (x: Float32Array, dy: Float32Array): Float64Array => {
  const sums = new Float64Array(9 * from * to)
  const inside = (i: number): boolean => i >= 0 && i < size
  for (let b = 0; b < batch; b++)
    for (let tap = 0; tap < 9; tap++)
      for (let pixel = 0; pixel < size * size; pixel++) {
        const [y, column] = [Math.floor(pixel / size) + Math.floor(tap / 3) - 1, (pixel % size) + (tap % 3) - 1]
        if (!inside(y) || !inside(column)) continue
        for (let c = 0; c < from; c++)
          for (let f = 0; f < to; f++)
            sums[(tap * from + c) * to + f]! +=
              x[((b * size + y) * size + column) * from + c]! * dy[(b * size * size + pixel) * to + f]!
      }
  return sums
}

const filterGradient: TensorFunction = {
  name: "filter gradient",
  state: {},
  inputs: { x: { dtype: "float32", shape: image }, dy: { dtype: "float32", shape: slopes } },
  body: (_, { x, dy }) => {
    const conv = (w: tf.Tensor): tf.Tensor => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same")
    return { outputs: { dw: tf.grad((w: tf.Tensor) => tf.sum(tf.mul(conv(w), dy!)))(tf.zeros([3, 3, from, to])) } }
  },
}

test("the gradient of a filter of three rows is within 10⁻⁵ of its root mean square of what float64 gives", async () => {
  const uniform = uniforms(11)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  const drawn = (shape: ReadonlyArray<number>) => ({
    dtype: "float32" as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, normal),
  })
  const [x, dy] = [drawn(image), drawn(slopes)]
  const { dw } = await Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(filterGradient)
    return yield* run({ inputs: { x, dy } })
  }).pipe(Effect.scoped, Effect.provide(Engines.layer("onnx", { threads: 2 })), Effect.runPromise)
  const wanted = exactly(x.data, dy.data)
  const scale = Math.sqrt(wanted.reduce((sum, v) => sum + v * v, 0) / wanted.length)
  const worst = wanted.reduce((most, v, i) => Math.max(most, Math.abs(dw!.data[i]! - v)), 0)
  expect(worst / scale).toBeLessThan(1e-5)
})

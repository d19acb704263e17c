import { Engine, Engines, type HostTensor, type HostTensors, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { uniforms } from "./uniforms.js"

interface Wide {
  readonly image: readonly [number, number, number, number]
  readonly filter: readonly [number, number, number, number]
  readonly strides: readonly [number, number]
  readonly pad: "same" | "valid" | number
}

/** As many channels and pixels as decide how a convolution and its gradients are computed. */
const cases: Readonly<Record<string, Wide>> = {
  "few pixels": { image: [2, 5, 4, 64], filter: [3, 2, 64, 80], strides: [1, 1], pad: "same" },
  "a filter of one tap": { image: [3, 6, 5, 70], filter: [1, 1, 70, 66], strides: [1, 1], pad: "same" },
  "few pixels, a filter of one tap": { image: [3, 2, 2, 20], filter: [1, 1, 20, 30], strides: [1, 1], pad: "same" },
  "large images": { image: [2, 18, 17, 5], filter: [3, 3, 5, 7], strides: [1, 1], pad: "same" },
  "large images, cut": { image: [2, 18, 17, 7], filter: [2, 3, 7, 5], strides: [1, 1], pad: "valid" },
  "images of middle size": { image: [2, 9, 8, 24], filter: [3, 3, 24, 40], strides: [1, 1], pad: "same" },
  "few pixels, fewer channels": { image: [2, 5, 4, 80], filter: [3, 2, 80, 64], strides: [1, 1], pad: "same" },
  "fewer channels": { image: [2, 12, 11, 40], filter: [3, 2, 40, 9], strides: [1, 1], pad: "same" },
  "wide zeros": { image: [2, 7, 6, 12], filter: [3, 3, 12, 14], strides: [1, 1], pad: 4 },
  "wide zeros, fewer channels": { image: [2, 7, 6, 14], filter: [2, 2, 14, 12], strides: [1, 1], pad: 3 },
  "a filter as large as the image": { image: [2, 6, 5, 12], filter: [6, 5, 12, 10], strides: [1, 1], pad: "valid" },
  "three rows of many channels": { image: [3, 16, 15, 18], filter: [3, 3, 18, 20], strides: [1, 1], pad: "same" },
  "three rows, joined images": { image: [8, 9, 10, 17], filter: [3, 3, 17, 16], strides: [1, 1], pad: "same" },
  "three rows of two columns": { image: [2, 9, 7, 16], filter: [3, 2, 16, 17], strides: [1, 1], pad: "same" },
  "three rows, cut": { image: [2, 13, 12, 16], filter: [3, 3, 16, 18], strides: [1, 1], pad: "valid" },
  "three rows, wide zeros": { image: [2, 9, 7, 16], filter: [3, 3, 16, 17], strides: [1, 1], pad: 3 },
  "three rows, large images": { image: [2, 70, 61, 16], filter: [3, 3, 16, 16], strides: [1, 1], pad: "same" },
  "halved images": { image: [2, 12, 10, 66], filter: [3, 3, 66, 64], strides: [2, 2], pad: "same" },
  "halved images, few channels": { image: [2, 16, 18, 6], filter: [3, 3, 6, 9], strides: [2, 2], pad: "same" },
  "odd strides": { image: [2, 13, 16, 17], filter: [3, 4, 17, 20], strides: [3, 2], pad: "same" },
}

/** Small whole numbers, whose sums float32 holds: results do not depend on the order of addition. */
const whole = (shape: ReadonlyArray<number>, uniform: () => number): HostTensor => {
  const size = shape.reduce((n, d) => n * d, 1)
  return { dtype: "float32", shape, data: Float32Array.from({ length: size }, () => Math.floor(uniform() * 7) - 3) }
}

const functionOf = ({ image, filter, strides, pad }: Wide): TensorFunction => ({
  name: "wide convolution",
  state: {},
  inputs: { x: { dtype: "float32", shape: image }, w: { dtype: "float32", shape: filter } },
  body: (_, { x, w }) => {
    const conv = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, [...strides], pad)
    const y = conv(x!, w!)
    const dy = tf.tensor(
      Array.from({ length: y.size }, (_, i) => ((i * 5) % 7) - 3),
      y.shape,
    )
    const [dx, dw] = tf.grads((a, b) => tf.sum(tf.mul(conv(a!, b!), dy)))([x!, w!])
    return { outputs: { y, dx: dx!, dw: dw! } }
  },
})

const runOn = (engine: string, fn: TensorFunction, inputs: HostTensors): Promise<HostTensors> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(fn)
    return yield* run({ inputs })
  }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine, { threads: 2 })), Effect.runPromise)

for (const [name, wide] of Object.entries(cases)) {
  test(`convolution of ${name} and its gradients are on ONNX Runtime, to the last bit, what they are on tfjs`, async () => {
    const uniform = uniforms(7)
    const inputs = { x: whole(wide.image, uniform), w: whole(wide.filter, uniform) }
    const fn = functionOf(wide)
    const [got, wanted] = await Promise.all([runOn("onnx", fn, inputs), runOn("tfjs:cpu", fn, inputs)])
    for (const output of ["y", "dx", "dw"]) {
      // A zero has no sign here.
      const wrong = wanted[output]!.data.findIndex((value, i) => value !== got[output]!.data[i])
      expect([output, got[output]!.shape, wrong]).toEqual([output, wanted[output]!.shape, -1])
    }
  })
}

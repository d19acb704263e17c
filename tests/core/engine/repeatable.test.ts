import { createHash } from "node:crypto"
import {
  batchNorm,
  Engine,
  embed,
  float32,
  gelu,
  groupNorm,
  type HostTensors,
  int32,
  layerNorm,
  silu,
  spec,
  type TensorFunction,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { on } from "./on.js"

const [rows, width, words] = [256, 160, 7]

/** Kernels whose order of summation threads could change, at sizes that ONNX Runtime gives to several threads. */
const sums: TensorFunction = {
  name: "sums",
  state: {},
  inputs: {
    x: spec("float32", [rows, width]),
    y: spec("float32", [rows, width]),
    cube: spec("float32", [6, 48, width]),
    gain: spec("float32", [width]),
    ids: spec("int32", [rows]),
  },
  body: (_, { x, y, cube, gain, ids }) => {
    const [a, b, c, g] = [x!, y!, cube!, gain as tf.Tensor1D]
    const table = tf.slice(a, [0, 0], [words, width])
    const [gradient] = tf.grads((t) => tf.sum(tf.mul(embed(t, ids!), b)))([table])
    const [dx, dgain] = tf.grads((u, v) => tf.sum(tf.mul(layerNorm(u, v as tf.Tensor1D, g), b)))([a, g])
    return {
      outputs: {
        product: tf.matMul(a, b, false, true),
        "product, first transposed": tf.matMul(a, b, true, false),
        "batched product": tf.matMul(c, c, false, true),
        softmax: tf.softmax(a),
        logSoftmax: tf.logSoftmax(a),
        sum: tf.sum(a),
        "sum of columns": tf.sum(a, 0),
        "sum of rows": tf.sum(a, 1),
        mean: tf.mean(c, [0, 2]),
        norm: tf.sqrt(tf.sum(tf.square(a))),
        layerNorm: layerNorm(a, g, g),
        dx: dx!,
        dgain: dgain!,
        gelu: gelu(a),
        "gradient of embed": gradient!,
        "sum of segments": tf.unsortedSegmentSum(b, ids as tf.Tensor1D, words),
        scatter: tf.scatterND(tf.expandDims(ids!, 1), b, [words, width]),
        update: tf.tensorScatterUpdate(table, tf.expandDims(ids!, 1), b),
        cumsum: tf.cumsum(a, 0),
      },
    }
  },
}

const wave = (shape: ReadonlyArray<number>, step: number) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(i * step) * 2),
  )

const inputs = {
  x: wave([rows, width], 0.7),
  y: wave([rows, width], 1.3),
  cube: wave([6, 48, width], 0.31),
  gain: wave([width], 2.1),
  ids: int32(
    [rows],
    Int32Array.from({ length: rows }, (_, i) => (i * i) % words),
  ),
}

type F = tf.Tensor4D

/** Convolutions and what goes with them, forward and backward, on images that ONNX Runtime gives to several threads. */
const images: TensorFunction = {
  name: "images",
  state: {},
  inputs: {
    image: spec("float32", [6, 24, 20, 16]),
    filter: spec("float32", [3, 3, 16, 16]),
    each: spec("float32", [3, 3, 16, 1]),
    channel: spec("float32", [16]),
  },
  body: (_, { image, filter, each, channel }) => {
    const c = channel as tf.Tensor1D
    const cases: Readonly<Record<string, (x: F, w: F) => tf.Tensor>> = {
      conv2d: (x, w) => tf.add(tf.conv2d(x, w, 1, "same"), c),
      "conv2d with strides": (x, w) => tf.conv2d(x, w, 2, "same"),
      "conv2d of small images": (x, w) => tf.conv2d(tf.slice(x, 0, [6, 5, 4, 16]) as F, w, 1, "same"),
      "conv2d to few channels": (x, w) => tf.conv2d(x, tf.slice(w, 0, [3, 3, 16, 8]) as F, 1, "same"),
      conv2dTranspose: (x, w) => tf.conv2dTranspose(x, w, [6, 48, 40, 16], 2, "same"),
      depthwiseConv2d: (x) => tf.depthwiseConv2d(x, each as F, 1, "same"),
      maxPool: (x) => tf.maxPool(x, 3, 1, "same"),
      "maxPool side by side": (x) => tf.maxPool(x, 2, 2, "valid"),
      avgPool: (x) => tf.avgPool(x, 3, 2, "same"),
      resizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(x, [48, 40]),
      resizeBilinear: (x) => tf.image.resizeBilinear(x, [30, 50], false, true),
      batchNorm: (x) => batchNorm(x, c, c).y,
      groupNorm: (x) => groupNorm(x, c, c, 4),
      silu: (x) => silu(x),
    }
    return {
      outputs: Object.fromEntries(
        Object.entries(cases).flatMap(([name, f]) => {
          const loss = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.sum(tf.square(f(x as F, w as F)))
          const [dx, dw] = tf.grads((x, w) => tf.add(loss(x, w), tf.mul(0.001, tf.sum(w))))([image!, filter!])
          return [
            [name, f(image as F, filter as F)],
            [`${name}, image`, dx!],
            [`${name}, filter`, dw!],
          ] as const
        }),
      ),
    }
  },
}

const imageInputs = {
  image: wave([6, 24, 20, 16], 0.7),
  filter: wave([3, 3, 16, 16], 1.3),
  each: wave([3, 3, 16, 1], 0.31),
  channel: wave([16], 2.1),
}

const digests = (outputs: HostTensors): Record<string, string> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, createHash("sha256").update(data).digest("hex")]),
  )

const repeats = (
  fn: TensorFunction,
  inputs: HostTensors,
  threads: number,
  times: number,
): Promise<ReadonlyArray<Record<string, string>>> =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { compile } = yield* Engine
      const { run } = yield* compile(fn)
      const made: Array<Record<string, string>> = []
      for (let i = 0; i < times; i++) made.push(digests(yield* run({ inputs })))
      return made
    }),
    threads,
  )

for (const [what, fn, values] of [
  ["every kernel", sums, inputs],
  ["every kernel of images", images, imageInputs],
] as const) {
  test(`${what} gives the same bits in 20 runs on two threads, and on one`, async () => {
    const [first, ...others] = await repeats(fn, values, 2, 20)
    for (const other of others) expect(other).toEqual(first)
    expect(await repeats(fn, values, 1, 1)).toEqual([first])
  })
}

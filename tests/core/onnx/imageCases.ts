/** Random calls of the kernels of images, with their gradients, for comparing engines. */
import { batchNorm, groupNorm, type HostTensor, quickGelu, type Specs, silu, sizeOf, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

type Pair = readonly [number, number]
type Pad = "valid" | "same" | number | [[0, 0], [number, number], [number, number], [0, 0]]

/** One window over images. Strides and dilations exclude each other, as in tfjs. */
export interface ImageCase {
  readonly batch: number
  readonly size: Pair
  readonly channels: Pair
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  readonly pad: Pad
  readonly resized: Pair
  readonly resizing: "plain" | "alignCorners" | "halfPixelCenters"
}

const small = (max: number, min = 1) => fc.integer({ min, max })
const pair = (max: number, min = 1) => fc.tuple(small(max, min), small(max, min))

/** Where a window overhangs, at least one of its pixels is inside. */
const padOf = (kernel: Pair, strides: Pair, dilations: Pair): fc.Arbitrary<Pad> => {
  const square = [kernel, strides, dilations].every(([rows, columns]) => rows === columns)
  const room = (i: 0 | 1) => pair(kernel[i] - 1, 0)
  return fc.oneof(
    fc.constant("valid" as const),
    fc.constant("same" as const),
    ...(square ? [small(kernel[0] - 1, 0)] : []),
    fc.tuple(fc.constant<[0, 0]>([0, 0]), room(0), room(1), fc.constant<[0, 0]>([0, 0])),
  )
}

export const imageCase: fc.Arbitrary<ImageCase> = fc
  .record({
    batch: small(3),
    channels: pair(4),
    kernel: pair(3),
    strides: pair(3),
    dilations: pair(2),
    dilated: fc.boolean(),
    extra: pair(5, 0),
    resized: pair(9),
    resizing: fc.constantFrom("plain" as const, "alignCorners" as const, "halfPixelCenters" as const),
  })
  .chain(({ dilated, extra, ...drawn }) => {
    const strides: Pair = dilated ? [1, 1] : drawn.strides
    const dilations: Pair = dilated ? drawn.dilations : [1, 1]
    const size: Pair = [
      (drawn.kernel[0] - 1) * dilations[0] + 1 + extra[0],
      (drawn.kernel[1] - 1) * dilations[1] + 1 + extra[1],
    ]
    return padOf(drawn.kernel, strides, dilations).map((pad) => ({ ...drawn, strides, dilations, size, pad }))
  })

/** An image, the same with many ties, filters for convolution and for convolution channel by channel. */
export const imageSpecs = ({ batch, size, channels: [c, o], kernel }: ImageCase): Specs => ({
  x: spec("float32", [batch, ...size, c]),
  ties: spec("float32", [batch, ...size, c]),
  whole: spec("int32", [batch, ...size, c]),
  w: spec("float32", [...kernel, c, o]),
  bias: spec("float32", [o]),
  each: spec("float32", [...kernel, c, 2]),
})

export const imageValues = (drawn: ImageCase, uniform: () => number): Record<string, HostTensor> =>
  Object.fromEntries(
    Object.entries(imageSpecs(drawn)).map(([name, { dtype, shape }]) => {
      const coarse = name === "ties" || dtype === "int32"
      const values = Array.from({ length: sizeOf(shape) }, () =>
        coarse ? Math.floor(uniform() * 3) : (uniform() - 0.5) * 4,
      )
      return [name, { dtype, shape, data: dtype === "float32" ? Float32Array.from(values) : Int32Array.from(values) }]
    }),
  )

type Tensors = Readonly<Record<string, tf.Tensor>>

/** Weights that make another dy at every element. */
export const weighted = (y: tf.Tensor): tf.Tensor => {
  const weights = Float32Array.from({ length: y.size }, (_, i) => Math.cos(1 + 1.7 * i))
  return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)))
}

/** Outputs of the case by name: results, and gradients with respect to each input. */
export const imageOutputs = (drawn: ImageCase, t: Tensors): Record<string, tf.Tensor> => {
  const { x, ties, whole, w, bias, each } = t as Readonly<Record<string, tf.Tensor4D>>
  const strides = drawn.strides as [number, number]
  const dilations = drawn.dilations as [number, number]
  const kernel = drawn.kernel as [number, number]
  const pad = drawn.pad as "same"
  const size = drawn.resized as [number, number]
  const corners = drawn.resizing === "alignCorners"
  const half = drawn.resizing === "halfPixelCenters"
  const plain = dilations.every((d) => d === 1)
  const outputs: Record<string, tf.Tensor> = {}
  const both = (name: string, f: (...args: Array<tf.Tensor>) => tf.Tensor, args: Array<tf.Tensor>): void => {
    outputs[name] = f(...args)
    const grads = tf.grads((...given: Array<tf.Tensor>) => weighted(f(...given)))(args)
    grads.forEach((grad, i) => {
      outputs[`gradient of ${name}, ${i}`] = grad
    })
  }
  type F = tf.Tensor4D
  both("conv2d", (a, b) => tf.conv2d(a as F, b as F, strides, pad, "NHWC", dilations), [x!, w!])
  outputs["fused conv2d"] = tf.fused.conv2d({
    x: x!,
    filter: w!,
    strides,
    pad,
    dilations,
    bias: bias!,
    activation: "relu",
  })
  if (plain) {
    both("depthwiseConv2d", (a, b) => tf.depthwiseConv2d(a as F, b as F, strides, pad), [x!, each!])
    const small = tf.conv2d(x!, w!, strides, pad)
    both("conv2dTranspose", (a, b) => tf.conv2dTranspose(a as F, b as F, x!.shape, strides, pad), [small, w!])
    both("maxPool", (a) => tf.maxPool(a as F, kernel, strides, pad), [x!])
    both("maxPool of ties", (a) => tf.maxPool(a as F, kernel, strides, pad), [ties!])
    both("avgPool", (a) => tf.avgPool(a as F, kernel, strides, pad), [x!])
    outputs["maxPool of int32"] = tf.maxPool(whole!, kernel, strides, pad)
  } else {
    outputs.depthwiseConv2d = tf.depthwiseConv2d(x!, each!, strides, pad, "NHWC", dilations)
  }
  both("resizeNearestNeighbor", (a) => tf.image.resizeNearestNeighbor(a as F, size, corners, half), [x!])
  both("resizeBilinear", (a) => tf.image.resizeBilinear(a as F, size, corners, half), [x!])
  const [batch, [rows, columns], [c]] = [drawn.batch, drawn.size, drawn.channels]
  const vector = (from: number): tf.Tensor => tf.slice(tf.reshape(w!, [-1]), from, c)
  both("batchNorm", (a, g, s) => batchNorm(a, g as tf.Tensor1D, s as tf.Tensor1D, 0.1).y, [x!, vector(0), vector(0)])
  const { mean, variance } = batchNorm(x!, vector(0) as tf.Tensor1D, vector(0) as tf.Tensor1D)
  Object.assign(outputs, { mean, variance })
  const twice = tf.concat([x!, tf.mul(x!, x!)], 3)
  const vectors = [tf.tile(vector(0), [2]), tf.tile(vector(0), [2])]
  for (const groups of [1, 2, c]) {
    const norm = (a: tf.Tensor, g: tf.Tensor, s: tf.Tensor): tf.Tensor =>
      groupNorm(a, g as tf.Tensor1D, s as tf.Tensor1D, groups, 0.1)
    both(`groupNorm of ${groups}`, norm as (...args: Array<tf.Tensor>) => tf.Tensor, [twice, ...vectors])
  }
  const sequence = tf.reshape(twice, [batch, rows * columns, 2 * c])
  outputs["groupNorm of a sequence"] = groupNorm(sequence, vectors[0] as tf.Tensor1D, vectors[1] as tf.Tensor1D, 2, 0.1)
  both("silu", silu, [x!])
  both("quickGelu", quickGelu, [x!])
  return outputs
}

/**
 * The meaning of the image kernels where tfjs has none, or a wrong one: images with channels first, convolution with a
 * bias, and the gradients of resizing. tfjs 4.22 computes ResizeNearestNeighborGrad with the strides of another image
 * beyond the first of a batch, exchanges rows and columns in the shape of ResizeBilinearGrad, and has no half pixels in
 * either.
 */
import * as tf from "@tensorflow/tfjs-core"
import { imageKernels, imageOperands } from "./imageKernels.js"
import { type Interpolation, rowWeights } from "./resizing.js"
import type { Attrs } from "./shapes.js"
import { isFirst, layouts } from "./windows.js"

type Meaning = (inputs: ReadonlyArray<tf.Tensor>, attrs: Attrs) => ReadonlyArray<tf.Tensor>

/** The transpose of resizing: rows and columns weighted by what the result took from them. */
const resizeGradient =
  (kind: Interpolation): Meaning =>
  ([dy, images], attrs) => {
    const [batch, height, width, channels] = images!.shape as [number, number, number, number]
    const [, toHeight, toWidth] = dy!.shape as [number, number, number, number]
    const weights = (from: number, to: number): tf.Tensor => {
      const { data, shape } = rowWeights(kind, from, to, attrs)
      return tf.reshape(tf.transpose(tf.tensor2d(data, shape as [number, number])), [1, from, to])
    }
    const rows = tf.matMul(weights(height, toHeight), tf.reshape(dy!, [batch, toHeight, toWidth * channels]))
    const columns = tf.matMul(weights(width, toWidth), tf.reshape(rows, [batch * height, toWidth, channels]))
    return [tf.reshape(columns, images!.shape)]
  }

const biased: Meaning = ([x, filter, bias], attrs) => [tf.add(native("Conv2D")([x!, filter!], attrs)[0]!, bias!)]

/** The kernel of the active backend. */
const native =
  (op: string): Meaning =>
  (inputs, attrs) => {
    const names = imageKernels.find(([name]) => name === op)![1].inputs
    const named = Object.fromEntries(inputs.map((input, i) => [names[i]!, input]))
    const made = tf.engine().runKernel<tf.Tensor>(op, named, { ...attrs } as tf.NamedAttrMap)
    return [made]
  }

const own: Readonly<Record<string, Meaning>> = {
  FusedConv2D: biased,
  ResizeNearestNeighborGrad: resizeGradient("nearest"),
  ResizeBilinearGrad: resizeGradient("bilinear"),
}

/** Each kernel of images on tensors of either layout. */
export const imageMeaning: ReadonlyArray<readonly [string, Meaning]> = imageKernels.map(([op]) => {
  const { images, result } = imageOperands.get(op)!
  const last = own[op] ?? native(op)
  const meaning: Meaning = (inputs, attrs) => {
    if (!isFirst(attrs)) return last(inputs, attrs)
    const turned = inputs.map((input, i) => (i < images ? tf.transpose(input, [...layouts.toLast]) : input))
    const [made] = last(turned, { ...attrs, dataFormat: "NHWC" })
    return [result ? tf.transpose(made!, [...layouts.toFirst]) : made!]
  }
  return [op, meaning]
})

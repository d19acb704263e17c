/**
 * Gradients of image kernels that tfjs 4.22 has wrong or not at all: an average over a window that hangs over the edge
 * counts the pixels inside alone, resizing with half pixels or of several images, convolution with dilations.
 */
import * as tf from "@tensorflow/tfjs-core"
import { type Attrs, numbersOf } from "../program/shapes.js"
import { isFirst, type Window, windowAttrs, windowOf } from "../program/windows.js"
import { runFused } from "./differentiable.js"

type GradConfig = tf.GradConfig
type Gradient = GradConfig["gradFunc"]

const replace = (config: GradConfig): void => {
  tf.unregisterGradient(config.kernelName)
  tf.registerGradient(config)
}

const one = (dy: Parameters<Gradient>[0]): tf.Tensor => {
  if (Array.isArray(dy)) throw new Error("internal: a gradient with several outputs")
  return dy
}

/** Pixels of the image in a window, for each place of the window along one axis. */
const inside = (w: Window, axis: 0 | 1): Array<number> =>
  Array.from({ length: w.output[axis] }, (_, i) => {
    const start = i * w.strides[axis] - w.before[axis]
    return Math.min(start + w.kernel[axis], w.input[axis]) - Math.max(start, 0)
  })

const averagePool: Gradient = (dys, [x], given) => {
  const attrs = given as Attrs
  const { filterSize } = attrs
  const [rows, columns] = numbersOf(attrs, "filterSize") as [number, number?]
  const kernel = [rows, columns ?? rows] as const
  const settled = windowAttrs(attrs, x!.shape, kernel)
  const w = windowOf(settled, [x!.shape[1]!, x!.shape[2]!], kernel)
  const [high, wide] = [inside(w, 0), inside(w, 1)]
  // The kernel of tfjs gives every pixel dy over all of the window.
  const parts = high.flatMap((n) => wide.map((m) => (kernel[0] * kernel[1]) / (n * m)))
  const even = parts.every((part) => part === 1)
  const dy = one(dys)
  const scaled = even ? dy : tf.mul(dy, tf.tensor(parts, [1, ...w.output, 1]))
  return {
    x: () =>
      tf.engine().runKernel<tf.Tensor>("AvgPoolGrad", { dy: scaled, input: x! }, {
        filterSize,
        strides: settled.strides,
        pad: settled.pad,
      } as tf.NamedAttrMap),
  }
}

const resize =
  (kernelName: string): Gradient =>
  (dy, [images], attrs) => ({
    images: () => runFused(`${kernelName}Grad`, { dy: one(dy), images: images! }, attrs as Attrs)[0]!,
  })

/** With dilations the filter is a larger one with zeros between its taps. */
const convolution: Gradient = (dys, [x, filter], given) => {
  const dy = one(dys)
  const [rows, columns, from, to] = filter!.shape as [number, number, number, number]
  const attrs = windowAttrs(given as Attrs, x!.shape, [rows, columns])
  const [down, right] = numbersOf(attrs, "dilations") as [number, number]
  const wide = [(rows - 1) * down + 1, (columns - 1) * right + 1, from, to]
  const shared = { strides: attrs.strides, pad: ownPad(attrs), dataFormat: attrs.dataFormat }
  const run = (op: string, inputs: tf.NamedTensorMap, more: Attrs): tf.Tensor =>
    tf.engine().runKernel<tf.Tensor>(op, inputs, { ...shared, ...more } as tf.NamedAttrMap)
  return {
    x: () => run("Conv2DBackpropInput", { dy, filter: dilated(filter!, [down, right]) }, { inputShape: x!.shape }),
    filter: () => {
      const grad = run("Conv2DBackpropFilter", { x: x!, dy }, { filterShape: wide })
      return down === 1 && right === 1 ? grad : tf.stridedSlice(grad, [0, 0, 0, 0], wide, [down, right, 1, 1])
    },
  }
}

/** Padding in the order of the tensors' axes. */
const ownPad = (attrs: Attrs): ReadonlyArray<ReadonlyArray<number>> => {
  const pad = attrs.pad as ReadonlyArray<ReadonlyArray<number>>
  return isFirst(attrs) ? [pad[0]!, pad[3]!, pad[1]!, pad[2]!] : pad
}

const dilated = (filter: tf.Tensor, [down, right]: readonly [number, number]): tf.Tensor => {
  if (down === 1 && right === 1) return filter
  const [rows, columns, from, to] = filter.shape as [number, number, number, number]
  const apart = tf.pad(tf.reshape(filter, [rows, 1, columns, 1, from * to]), [
    [0, 0],
    [0, down - 1],
    [0, 0],
    [0, right - 1],
    [0, 0],
  ])
  const whole = tf.reshape(apart, [rows * down, columns * right, from, to])
  return tf.slice(whole, [0, 0, 0, 0], [(rows - 1) * down + 1, (columns - 1) * right + 1, from, to])
}

/** Replaces tfjs's gradients. */
export const registerImageGradients = (): void => {
  replace({ kernelName: "AvgPool", inputsToSave: ["x"], gradFunc: averagePool })
  replace({ kernelName: "Conv2D", inputsToSave: ["x", "filter"], gradFunc: convolution })
  for (const name of ["ResizeNearestNeighbor", "ResizeBilinear"]) {
    replace({ kernelName: name, inputsToSave: ["images"], gradFunc: resize(name) })
  }
}

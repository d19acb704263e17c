/** Pools, their gradients, and resizing. */

import type { Equation } from "../program/ir.js"
import { nearestRows, rowWeights } from "../program/resizing.js"
import { numbersOf } from "../program/shapes.js"
import { type Pair, type Window, windowOf } from "../program/windows.js"
import { sizeOf } from "../tensor.js"
import type { Graph, Lowerings } from "./graph.js"
import { type ImageLowering, ofImages } from "./images.js"

const window = ({ attrs }: Equation, image: ReadonlyArray<number>): Window => {
  const [rows, columns] = numbersOf(attrs, "filterSize")
  return windowOf(attrs, [image[2]!, image[3]!], [rows!, columns!])
}

const clamp = ([rows, columns]: Pair): Pair => [Math.max(rows, 0), Math.max(columns, 0)]

const pooling = (w: Window) => ({ kernel_shape: w.kernel, strides: w.strides, pads: [...w.before, ...clamp(w.after)] })

const maxPool: ImageLowering = (graph, equation, [x], [image]) => {
  const { dtype } = equation.inputs[0]!
  // Float64 holds every int32.
  const real = dtype === "float32" ? "float32" : "float64"
  const made = graph.node("MaxPool", [graph.cast(x!, dtype, real)], pooling(window(equation, image!)))
  return graph.cast(made, real, equation.outputs[0]!.dtype)
}

/** The gradient goes to the first maximum of each window, which is where MaxPool says that it found it. */
const maxPoolGradient: ImageLowering = (graph, equation, [dy, x], [slopes, image]) => {
  const [, at] = graph.nodes("MaxPool", [x!], 2, pooling(window(equation, image!)))
  const size = sizeOf(slopes!)
  const flat = (name: string): string => graph.reshape(name, slopes!, [size])
  const zeros = graph.filled("float32", [sizeOf(image!)], 0)
  const sums = graph.node("ScatterElements", [zeros, flat(at!), flat(dy!)], { axis: 0, reduction: "add" })
  return graph.reshape(sums, [sizeOf(image!)], image!)
}

const averagePool: ImageLowering = (graph, equation, [x], [image]) =>
  graph.node("AveragePool", [x!], { ...pooling(window(equation, image!)), count_include_pad: 0 })

/** ONNX Runtime's fast case of Resize: every row and column of an image several times. */
const repeated = (graph: Graph, x: string, times: ReadonlyArray<number>): string =>
  graph.node("Resize", [x, "", graph.constant("float32", [4], [1, 1, ...times])], {
    mode: "nearest",
    nearest_mode: "floor",
    coordinate_transformation_mode: "asymmetric",
  })

/**
 * Every pixel of a window gets an equal part. Windows side by side repeat it; others add theirs up, as a transposed
 * convolution of each channel with a constant does.
 */
const averagePoolGradient: ImageLowering = (graph, equation, [dy], [slopes, image]) => {
  const w = window(equation, image!)
  const [batch, channels] = image as [number, number, number, number]
  const apart = [...w.before, ...w.after].every((n) => n === 0) && w.kernel.every((n, i) => n === w.strides[i])
  if (apart) return repeated(graph, graph.node("Mul", [dy!, graph.scalar("float32", 1 / sizeOf(w.kernel))]), w.kernel)
  const flat = graph.reshape(dy!, slopes!, [batch * channels, 1, ...w.output])
  const part = graph.filled("float32", [1, 1, ...w.kernel], 1 / sizeOf(w.kernel))
  const made = graph.node("ConvTranspose", [flat, part], {
    strides: w.strides,
    pads: [...w.before, ...clamp(w.after)],
    output_padding: w.after.map((n) => Math.max(-n, 0)),
  })
  return graph.reshape(made, [batch * channels, 1, ...w.input], image!)
}

/** Whole multiples repeat rows and columns; any other size picks them. */
const nearest: ImageLowering = (graph, equation, [x], [image]) => {
  const to = numbersOf(equation.attrs, "size")
  const rows = (i: number): ReadonlyArray<number> => nearestRows(image![2 + i]!, to[i]!, equation.attrs)
  const times = to.map((size, i) => size / image![2 + i]!)
  const repeats = times.every((n, i) => Number.isInteger(n) && rows(i).every((row, k) => row === Math.floor(k / n)))
  if (repeats) return repeated(graph, x!, times)
  return [0, 1].reduce(
    (name, i) => graph.node("Gather", [name, graph.constant("int32", [to[i]!], rows(i))], { axis: 2 + i }),
    x!,
  )
}

/** Weights [to, from] of rows, as a constant; turned for the way back. */
const weights = ({ op, attrs }: Equation, from: number, to: number): ReadonlyArray<number> => {
  const { data } = rowWeights(op.startsWith("ResizeNearest") ? "nearest" : "bilinear", from, to, attrs)
  return [...data]
}

const transposed = (values: ReadonlyArray<number>, rows: number, columns: number): ReadonlyArray<number> =>
  Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)

/** Rows and columns of an image as weighted sums, by two matrix products. */
const weighted = (
  graph: Graph,
  x: string,
  [rows, fromRows, rowValues]: readonly [number, number, ReadonlyArray<number>],
  [columns, fromColumns, columnValues]: readonly [number, number, ReadonlyArray<number>],
): string => {
  const right = graph.constant("float32", [fromColumns, columns], transposed(columnValues, columns, fromColumns))
  const left = graph.constant("float32", [rows, fromRows], rowValues)
  return graph.node("MatMul", [left, graph.node("MatMul", [x, right])])
}

const bilinear: ImageLowering = (graph, equation, [x], [image]) => {
  const [, , height, width] = image as [number, number, number, number]
  const [toHeight, toWidth] = numbersOf(equation.attrs, "size") as [number, number]
  const real = graph.cast(x!, equation.inputs[0]!.dtype, "float32")
  return weighted(
    graph,
    real,
    [toHeight, height, weights(equation, height, toHeight)],
    [toWidth, width, weights(equation, width, toWidth)],
  )
}

const resizeGradient: ImageLowering = (graph, equation, [dy], [slopes, image]) => {
  const [, , height, width] = image as [number, number, number, number]
  const [, , toHeight, toWidth] = slopes as [number, number, number, number]
  return weighted(
    graph,
    dy!,
    [height, toHeight, transposed(weights(equation, height, toHeight), toHeight, height)],
    [width, toWidth, transposed(weights(equation, width, toWidth), toWidth, width)],
  )
}

export const pools: Lowerings = {
  MaxPool: ofImages(maxPool),
  MaxPoolGrad: ofImages(maxPoolGradient),
  AvgPool: ofImages(averagePool),
  AvgPoolGrad: ofImages(averagePoolGradient),
  ResizeNearestNeighbor: ofImages(nearest),
  ResizeNearestNeighborGrad: ofImages(resizeGradient),
  ResizeBilinear: ofImages(bilinear),
  ResizeBilinearGrad: ofImages(resizeGradient),
}

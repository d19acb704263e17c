/** Convolutions and their gradients. ONNX has channels first: the layout passes bring images into that form beforehand. */
import type { Equation } from "../program/ir.js"
import { numbersOf } from "../program/shapes.js"
import { type Pair, toFirst, type Window, windowOf } from "../program/windows.js"
import { sizeOf } from "../tensor.js"
import { denseFilterGradient } from "./filterGradient.js"
import { inputsFirst, outputsFirst } from "./filters.js"
import type { Graph, Lowerings } from "./graph.js"
import { type ImageLowering, ofImages } from "./images.js"
import { isShort, shortFilterGradient } from "./shortFilterGradient.js"

const pads = ([top, left]: Pair, [bottom, right]: Pair): ReadonlyArray<number> => [top, left, bottom, right]
const clamp = ([rows, columns]: Pair): Pair => [Math.max(rows, 0), Math.max(columns, 0)]

/** Rows and columns added before and after an image [b, c, y, x]; below zero they are cut off. */
const padImage = (graph: Graph, x: string, before: Pair, after: Pair): string =>
  [...before, ...after].every((n) => n === 0)
    ? x
    : graph.node("Pad", [x, graph.int64([0, 0, ...before, 0, 0, ...after]), graph.scalar("float32", 0)])

const window = ({ attrs }: Equation, image: ReadonlyArray<number>, filter: ReadonlyArray<number>): Window =>
  windowOf(attrs, [image[2]!, image[3]!], [filter[0]!, filter[1]!])

/** Up to this many pixels, a filter of one tap is one product for all images; ONNX Runtime takes one for each image. */
const fewPixels = 4

const isProduct = (w: Window): boolean =>
  [...w.kernel, ...w.strides].every((n) => n === 1) &&
  [...w.before, ...w.after].every((n) => n === 0) &&
  sizeOf(w.output) <= fewPixels

/** A product of all pixels with the matrix of a filter of one tap, turned or not. */
const pixelwise = (
  graph: Graph,
  x: string,
  [batch, channels, ...size]: ReadonlyArray<number>,
  [matrix, shape]: readonly [string, ReadonlyArray<number>],
  turned: boolean,
  bias: ReadonlyArray<string>,
): string => {
  const [from, to] = [shape[2]!, shape[3]!]
  const pixels = sizeOf(size)
  const [rows, made] = [batch! * pixels, turned ? from : to]
  const flat = graph.reshape(x, [batch!, channels!, ...size], [batch!, channels!, pixels])
  const last = graph.node("Transpose", [flat], { perm: [0, 2, 1] })
  const weights = graph.reshape(matrix, shape, [from, to])
  const left = graph.reshape(last, [batch!, pixels, channels!], [rows, channels!])
  const product = graph.node("Gemm", [left, weights, ...bias], { transA: 0, transB: turned ? 1 : 0 })
  const images = graph.reshape(product, [rows, made], [batch!, pixels, made])
  const first = graph.node("Transpose", [images], { perm: [0, 2, 1] })
  return graph.reshape(first, [batch!, made, pixels], [batch!, made, ...size])
}

const convolution: ImageLowering = (graph, equation, [x, filter, ...bias], [image]) => {
  const w = window(equation, image!, equation.inputs[1]!.shape)
  if (isProduct(w)) return pixelwise(graph, x!, image!, [filter!, equation.inputs[1]!.shape], false, bias)
  const weights = outputsFirst(graph, filter!, equation.inputs[1]!.shape)
  return graph.node("Conv", [x!, weights, ...bias], {
    strides: w.strides,
    dilations: w.dilations,
    pads: pads(w.before, clamp(w.after)),
  })
}

/**
 * Σ over taps of the filter, turned by a half turn: with stride 1 a convolution of dy, which ONNX Runtime computes faster
 * than ConvTranspose.
 */
const inputGradient: ImageLowering = (graph, equation, [dy, filter], [slopes]) => {
  const shape = toFirst(numbersOf(equation.attrs, "inputShape"))
  const taps = equation.inputs[1]!.shape
  const w = window(equation, shape, taps)
  if (isProduct(w)) return pixelwise(graph, dy!, slopes!, [filter!, taps], true, [])
  if (w.strides.some((s) => s !== 1) || w.dilations.some((d) => d !== 1)) {
    return graph.node("ConvTranspose", [dy!, outputsFirst(graph, filter!, taps)], {
      strides: w.strides,
      dilations: w.dilations,
      pads: pads(w.before, clamp(w.after)),
      output_padding: w.after.map((n) => Math.max(-n, 0)),
    })
  }
  const weights = inputsFirst(graph, filter!, taps, true)
  const around = (side: Pair): Pair => [w.kernel[0] - 1 - side[0], w.kernel[1] - 1 - side[1]]
  const [before, after] = [around(w.before), around(w.after)]
  const cut = (side: Pair): Pair => [Math.min(side[0], 0), Math.min(side[1], 0)]
  const inner = padImage(graph, dy!, cut(before), cut(after))
  return graph.node("Conv", [inner, weights], { pads: pads(clamp(before), clamp(after)) })
}

/** The pixels [b, c, y, x] of x under one tap of the window, for every place of the window. */
const under = (graph: Graph, padded: string, tap: Pair, w: Window): string => {
  const start = [0, 1].map((i) => tap[i]! * w.dilations[i]!)
  const end = start.map((first, i) => first + (w.output[i]! - 1) * w.strides[i]! + 1)
  return graph.node("Slice", [
    padded,
    graph.int64(start),
    graph.int64(end),
    graph.int64([2, 3]),
    graph.int64(w.strides),
  ])
}

/** Every pair of a row and a column of a filter. */
const tapsOf = ({ kernel: [rows, columns] }: Window): ReadonlyArray<Pair> =>
  Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const)

/**
 * A product over all pixels for each tap of the filter, where it moves by more than one pixel. Large images are multiplied one by one and the products added,
 * which copies nothing but what is under the tap; for small ones that sum takes longer than to join their pixels first.
 */
const filterGradient: ImageLowering = (graph, equation, [x, dy], [image, result]) => {
  const shape = equation.outputs[0]!.shape
  const [rows, columns, from, to] = shape as [number, number, number, number]
  const w = window(equation, image!, shape)
  const [batch, pixels] = [image![0]!, sizeOf(w.output)]
  if (w.strides.every((n) => n === 1)) {
    const dense = isShort(w, shape) ? shortFilterGradient : denseFilterGradient
    return dense(graph, w, shape, batch, x!, dy!)
  }
  const joined = pixels < 2 * Math.min(from, to)
  const turn = (name: string): string => (joined ? graph.node("Transpose", [name], { perm: [1, 0, 2, 3] }) : name)
  const flat = (name: string, channels: number): string =>
    joined
      ? graph.reshape(name, [channels, batch, ...w.output], [channels, batch * pixels])
      : graph.reshape(name, [batch, channels, ...w.output], [batch, channels, pixels])
  const padded = turn(padImage(graph, x!, w.before, w.after))
  const slope = flat(turn(dy!), result![1]!)
  const products = tapsOf(w).map((tap) => {
    const seen = flat(under(graph, padded, tap, w), from)
    if (joined) return graph.node("Gemm", [seen, slope], { transA: 0, transB: 1 })
    const each = graph.node("com.microsoft:FusedMatMul", [seen, slope], { transA: 0, transB: 1 })
    return graph.node("ReduceSum", [each, graph.int64([0])], { keepdims: 0 })
  })
  const sums = products.length === 1 ? products[0]! : graph.node("Concat", products, { axis: 0 })
  return graph.reshape(sums, [rows * columns * from, to], shape)
}

const depthwise: ImageLowering = (graph, equation, [x, filter], [image]) => {
  const shape = equation.inputs[1]!.shape
  const w = window(equation, image!, shape)
  return graph.node("Conv", [x!, channelwise(graph, filter!, shape)], {
    group: shape[2]!,
    strides: w.strides,
    dilations: w.dilations,
    pads: pads(w.before, clamp(w.after)),
  })
}

/** [y, x, c, m] as [c · m, 1, y, x]. */
const channelwise = (graph: Graph, filter: string, [rows, columns, channels, many]: ReadonlyArray<number>): string => {
  const first = inputsFirst(graph, filter, [rows!, columns!, channels!, many!], false)
  return graph.reshape(first, [channels!, many!, rows!, columns!], [channels! * many!, 1, rows!, columns!])
}

const depthwiseInput: ImageLowering = (graph, equation, [dy, filter]) => {
  const shape = equation.inputs[1]!.shape
  const w = window(equation, toFirst(numbersOf(equation.attrs, "inputShape")), shape)
  return graph.node("ConvTranspose", [dy!, channelwise(graph, filter!, shape)], {
    group: shape[2]!,
    strides: w.strides,
    dilations: w.dilations,
    pads: pads(w.before, clamp(w.after)),
    output_padding: w.after.map((n) => Math.max(-n, 0)),
  })
}

const depthwiseFilter: ImageLowering = (graph, equation, [x, dy], [image]) => {
  const shape = equation.outputs[0]!.shape
  const [rows, columns, channels, many] = shape as [number, number, number, number]
  const w = window(equation, image!, shape)
  const [batch, pixels] = [image![0]!, sizeOf(w.output)]
  const padded = padImage(graph, x!, w.before, w.after)
  const slope = graph.reshape(dy!, [batch, channels * many, ...w.output], [batch, channels, many, pixels])
  const products = tapsOf(w).map((tap) => {
    const seen = graph.reshape(
      under(graph, padded, tap, w),
      [batch, channels, ...w.output],
      [batch, channels, 1, pixels],
    )
    const each = graph.node("com.microsoft:FusedMatMul", [seen, slope], { transA: 0, transB: 1 })
    return graph.node("ReduceSum", [each, graph.int64([0, 2])], { keepdims: 0 })
  })
  const sums = products.length === 1 ? products[0]! : graph.node("Concat", products, { axis: 0 })
  return graph.reshape(sums, [rows * columns * channels, many], shape)
}

export const convolutions: Lowerings = {
  Conv2D: ofImages(convolution),
  FusedConv2D: ofImages(convolution),
  Conv2DBackpropInput: ofImages(inputGradient),
  Conv2DBackpropFilter: ofImages(filterGradient),
  DepthwiseConv2dNative: ofImages(depthwise),
  DepthwiseConv2dNativeBackpropInput: ofImages(depthwiseInput),
  DepthwiseConv2dNativeBackpropFilter: ofImages(depthwiseFilter),
}

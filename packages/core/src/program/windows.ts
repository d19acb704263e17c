/** Windows that move over the rows and columns of an image: convolutions and pools. */
import * as tf from "@tensorflow/tfjs-core"
import { type Attrs, numbersOf, pairsOf } from "./shapes.js"

export type Pair = readonly [number, number]

/** Row and column of each: sizes in pixels, `before` and `after` the padding. */
export interface Window {
  readonly input: Pair
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  readonly before: Pair
  /** What the last window needs behind the image: below zero where it ends before the image does. */
  readonly after: Pair
  readonly output: Pair
}

type Shape = ReadonlyArray<number>

/** [b, c, y, x] of [b, y, x, c], and back. */
export const toFirst = (shape: Shape): Array<number> => [shape[0]!, shape[3]!, shape[1]!, shape[2]!]
export const toLast = (shape: Shape): Array<number> => [shape[0]!, shape[2]!, shape[3]!, shape[1]!]

/** Permutations that do the same to the axes of a tensor. */
export const layouts = { toFirst: [0, 3, 1, 2], toLast: [0, 2, 3, 1] } as const

export const isFirst = (attrs: Attrs): boolean => attrs.dataFormat === "NCHW"

/** The shape with channels last of an image in the layout that the attributes name. */
export const lastShape = (attrs: Attrs, shape: Shape): Array<number> => (isFirst(attrs) ? toLast(shape) : [...shape])
export const ownShape = (attrs: Attrs, last: Shape): Array<number> => (isFirst(attrs) ? toFirst(last) : [...last])

const pair = (attrs: Attrs, name: string, otherwise: number): Pair => {
  const given = attrs[name] === undefined ? [otherwise] : numbersOf(attrs, name)
  return [given[0]!, given[1] ?? given[0]!]
}

const zip = (f: (axis: 0 | 1) => number): Pair => [f(0), f(1)]

/** The window of attributes in normal form over an image of the given rows and columns. */
export const windowOf = (attrs: Attrs, input: Pair, kernel: Pair): Window => {
  const pads = pairsOf(attrs, "pad").slice(1, 3)
  const [strides, dilations] = [pair(attrs, "strides", 1), pair(attrs, "dilations", 1)]
  const before = zip((i) => pads[i]![0])
  const reach = zip((i) => (kernel[i] - 1) * dilations[i] + 1)
  const output = zip((i) => Math.floor((input[i] + pads[i]![0] + pads[i]![1] - reach[i]) / strides[i]) + 1)
  const after = zip((i) => (output[i] - 1) * strides[i] + reach[i] - input[i] - before[i])
  return { input, kernel, strides, dilations, before, after, output }
}

/**
 * Attributes in normal form: strides and dilations as pairs, padding in pixels for [b, y, x, c]. Only `dataFormat` says
 * that the tensors are [b, c, y, x]; the other attributes stay in the order of channels last.
 */
export const windowAttrs = (attrs: Attrs, shape: Shape, kernel: Pair): Attrs => {
  const { pad, dimRoundingMode, dataFormat = "NHWC", ...others } = attrs
  const format = dataFormat as "NHWC" | "NCHW"
  const [strides, dilations] = [pair(attrs, "strides", 1), pair(attrs, "dilations", 1)]
  const square = [kernel, strides, dilations].every(([rows, columns]) => rows === columns)
  if (typeof pad === "number" && !square) {
    // tfjs takes the size of the result from the rows of the window alone.
    throw new Error(`a window of [${kernel}] with strides [${strides}] needs its padding as pairs, not as a number`)
  }
  const explicit = Array.isArray(pad) && format === "NCHW" ? [pad[0], pad[2], pad[3], pad[1]] : pad
  const { padInfo, outHeight, outWidth } = tf.backend_util.computeConv2DInfo(
    lastShape(attrs, shape) as [number, number, number, number],
    [...kernel, 1, 1],
    [...strides],
    [...dilations],
    explicit as "same",
    dimRoundingMode as "floor",
    false,
    "channelsLast",
  )
  const [height, width] = lastShape(attrs, shape).slice(1, 3) as [number, number]
  // Rounding up makes windows that start inside of the image and end behind the padding.
  const after = (out: number, axis: 0 | 1, size: number, before: number, given: number): number =>
    Math.max(given, (out - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1 - size - before)
  return {
    ...others,
    dataFormat: format,
    strides: [...strides],
    dilations: [...dilations],
    pad: [
      [0, 0],
      [padInfo.top, after(outHeight, 0, height, padInfo.top, padInfo.bottom)],
      [padInfo.left, after(outWidth, 1, width, padInfo.left, padInfo.right)],
      [0, 0],
    ],
  }
}

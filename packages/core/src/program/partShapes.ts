/** Shape rules of the kernels that take tensors apart, put them together or index into them. */
import * as tf from "@tensorflow/tfjs-core"
import { showSpec, type TensorSpec } from "../tensor.js"
import { type Attrs, axisOf, type Infer, input, numberOf, numbersOf } from "./shapes.js"

export const same: Infer = (inputs) => [input(inputs)]

/** The first input's type, which all share. */
export const alike: Infer = (inputs) => {
  const first = input(inputs)
  for (const other of inputs) {
    if (showSpec(other) !== showSpec(first)) throw new Error(`${showSpec(first)} and ${showSpec(other)} must match`)
  }
  return [first]
}

export const select: Infer = (inputs) => {
  const [condition, t, e] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)]
  const rows = condition.shape.length === 1 && condition.shape[0] === t.shape[0]
  if (!rows && String(condition.shape) !== String(t.shape)) {
    throw new Error(`select: the condition [${condition.shape}] does not fit [${t.shape}]`)
  }
  return alike([t, e], {})
}

export const gatherNd: Infer = (inputs) => {
  const [x, at] = [input(inputs, 0), input(inputs, 1)]
  const depth = at.shape.at(-1)
  if (depth === undefined || depth > x.shape.length) {
    throw new Error(`gatherND: indices [${at.shape}] reach deeper than [${x.shape}]`)
  }
  return [{ dtype: x.dtype, shape: [...at.shape.slice(0, -1), ...x.shape.slice(depth)] }]
}

export const segmentSum: Infer = (inputs, attrs) => {
  const [x, ids] = [input(inputs, 0), input(inputs, 1)]
  if (String(x.shape.slice(0, ids.shape.length)) !== String(ids.shape)) {
    throw new Error(`unsortedSegmentSum: ids [${ids.shape}] are not the leading axes of [${x.shape}]`)
  }
  return [{ dtype: x.dtype, shape: [numberOf(attrs, "numSegments"), ...x.shape.slice(ids.shape.length)] }]
}

export const concat: Infer = (inputs, attrs) => {
  const along = numberOf(attrs, "axis")
  const first = input(inputs)
  for (const { dtype, shape } of inputs) {
    if (dtype !== first.dtype) throw new Error(`concat of ${first.dtype} and ${dtype}: cast one`)
    if (shape.length !== first.shape.length || shape.some((d, i) => i !== along && d !== first.shape[i])) {
      throw new Error(`concat along axis ${along}: [${first.shape}] and [${shape}] differ elsewhere`)
    }
  }
  const shape = first.shape.map((d, i) => (i === along ? inputs.reduce((n, s) => n + s.shape[along]!, 0) : d))
  return [{ dtype: first.dtype, shape }]
}

export const slicing = {
  normal: (attrs: Attrs, inputs: ReadonlyArray<TensorSpec>): Attrs => {
    const shape = input(inputs).shape
    const begin = numbersOf(attrs, "begin")
    const size = attrs.size === undefined ? [] : numbersOf(attrs, "size")
    const from = shape.map((_, i) => begin[i] ?? 0)
    return { begin: from, size: shape.map((d, i) => (size[i] === undefined || size[i] < 0 ? d - from[i]! : size[i])) }
  },
  infer: ((inputs, attrs) => {
    const { dtype, shape } = input(inputs)
    const [begin, size] = [numbersOf(attrs, "begin"), numbersOf(attrs, "size")]
    shape.forEach((d, i) => {
      if (!(begin[i]! >= 0 && size[i]! >= 0 && begin[i]! + size[i]! <= d)) {
        throw new Error(`slice from [${begin}] of size [${size}] leaves [${shape}]`)
      }
    })
    return [{ dtype, shape: size }]
  }) satisfies Infer,
}

export const stridedSlice: Infer = (inputs, attrs) => {
  const { dtype, shape } = input(inputs)
  const mask = (name: string): number => numberOf(attrs, name, 0)
  const { finalShape } = tf.slice_util.sliceInfo(
    [...shape],
    numbersOf(attrs, "begin"),
    numbersOf(attrs, "end"),
    numbersOf(attrs, "strides"),
    mask("beginMask"),
    mask("endMask"),
    mask("ellipsisMask"),
    mask("newAxisMask"),
    mask("shrinkAxisMask"),
  )
  return [{ dtype, shape: finalShape }]
}

export const split = {
  normal: (attrs: Attrs, inputs: ReadonlyArray<TensorSpec>): Attrs => {
    const { shape } = input(inputs)
    const along = axisOf(numberOf(attrs, "axis", 0), shape.length)
    const wanted = attrs.numOrSizeSplits
    if (typeof wanted === "number") {
      const part = shape[along]! / wanted
      if (!Number.isInteger(part)) throw new Error(`split: ${shape[along]} is not a multiple of ${wanted}`)
      return { axis: along, numOrSizeSplits: Array.from({ length: wanted }, () => part) }
    }
    const sizes = numbersOf(attrs, "numOrSizeSplits")
    const rest = shape[along]! - sizes.reduce((n, s) => n + Math.max(s, 0), 0)
    return { axis: along, numOrSizeSplits: sizes.map((s) => (s < 0 ? rest : s)) }
  },
  infer: ((inputs, attrs) => {
    const { dtype, shape } = input(inputs)
    const along = numberOf(attrs, "axis")
    const sizes = numbersOf(attrs, "numOrSizeSplits")
    if (sizes.reduce((n, s) => n + s, 0) !== shape[along])
      throw new Error(`split: [${sizes}] does not sum to ${shape[along]}`)
    return sizes.map((size) => ({ dtype, shape: shape.map((d, i) => (i === along ? size : d)) }))
  }) satisfies Infer,
}

export const gather: Infer = (inputs, attrs) => {
  const [x, indices] = [input(inputs, 0), input(inputs, 1)]
  const [along, batch] = [numberOf(attrs, "axis"), numberOf(attrs, "batchDims")]
  return [
    { dtype: x.dtype, shape: [...x.shape.slice(0, along), ...indices.shape.slice(batch), ...x.shape.slice(along + 1)] },
  ]
}

export const shapeAttr: Infer = (inputs, attrs) => [{ dtype: input(inputs, 1).dtype, shape: numbersOf(attrs, "shape") }]

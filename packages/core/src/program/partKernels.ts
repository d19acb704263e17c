/** Rows of the kernel table for kernels that take tensors apart, put them together or index into them. */
import * as tf from "@tensorflow/tfjs-core"
import { sizeOf } from "../tensor.js"
import type { Kernel } from "./kernels.js"
import { alike, concat, gather, gatherNd, same, select, shapeAttr, slicing, split, stridedSlice } from "./partShapes.js"
import { axesFromFront, axisFromFront, axisOf, dtypeAttr, input, numberOf, numbersOf, pairsOf } from "./shapes.js"

export const partKernels: ReadonlyArray<readonly [string, Kernel]> = [
  // tfjs broadcasts all three beforehand, but for a condition of one axis, which picks rows.
  ["Select", { inputs: ["condition", "t", "e"], infer: select }],
  [
    "Reshape",
    {
      inputs: ["x"],
      normal: (attrs, ins) => ({
        shape: tf.util.inferFromImplicitShape(numbersOf(attrs, "shape"), sizeOf(input(ins).shape)),
      }),
      infer: (ins, attrs) => {
        const { dtype, shape } = input(ins)
        const to = numbersOf(attrs, "shape")
        if (sizeOf(to) !== sizeOf(shape)) throw new Error(`reshape: [${shape}] has another size than [${to}]`)
        return [{ dtype, shape: to }]
      },
    },
  ],
  [
    "ExpandDims",
    {
      inputs: ["input"],
      normal: (attrs, ins) => ({ dim: axisOf(numberOf(attrs, "dim"), input(ins).shape.length + 1) }),
      infer: (ins, attrs) => [
        { dtype: input(ins).dtype, shape: input(ins).shape.toSpliced(numberOf(attrs, "dim"), 0, 1) },
      ],
    },
  ],
  [
    "Transpose",
    {
      inputs: ["x"],
      infer: (ins, attrs) => [
        { dtype: input(ins).dtype, shape: numbersOf(attrs, "perm").map((p) => input(ins).shape[p]!) },
      ],
    },
  ],
  ["Concat", { inputs: "list", infer: concat, normal: axisFromFront("axis") }],
  [
    "Pack",
    {
      inputs: "list",
      normal: axisFromFront("axis", 1),
      infer: (ins, attrs) => {
        const { dtype, shape } = alike(ins, attrs)[0]!
        return [{ dtype, shape: shape.toSpliced(numberOf(attrs, "axis"), 0, ins.length) }]
      },
    },
  ],
  [
    "Unpack",
    {
      inputs: ["value"],
      normal: axisFromFront("axis"),
      infer: (ins, attrs) => {
        const { dtype, shape } = input(ins)
        const along = numberOf(attrs, "axis")
        return Array.from({ length: shape[along]! }, () => ({ dtype, shape: shape.toSpliced(along, 1) }))
      },
    },
  ],
  ["Slice", { inputs: ["x"], ...slicing }],
  ["StridedSlice", { inputs: ["x"], infer: stridedSlice }],
  ["SplitV", { inputs: ["x"], ...split }],
  [
    "Tile",
    {
      inputs: ["x"],
      infer: (ins, attrs) => {
        const reps = numbersOf(attrs, "reps")
        return [{ dtype: input(ins).dtype, shape: input(ins).shape.map((d, i) => d * reps[i]!) }]
      },
    },
  ],
  [
    "PadV2",
    {
      inputs: ["x"],
      infer: (ins, attrs) => {
        const pads = pairsOf(attrs, "paddings")
        if (pads.length !== input(ins).shape.length) {
          throw new Error(`pad: ${pads.length} pairs for the axes of [${input(ins).shape}]`)
        }
        return [{ dtype: input(ins).dtype, shape: input(ins).shape.map((d, i) => d + pads[i]![0] + pads[i]![1]) }]
      },
    },
  ],
  ["Reverse", { inputs: ["x"], infer: same, normal: axesFromFront("dims") }],
  [
    "GatherV2",
    {
      inputs: ["x", "indices"],
      normal: (attrs, ins) => ({ ...axisFromFront("axis")(attrs, ins), batchDims: numberOf(attrs, "batchDims", 0) }),
      infer: gather,
    },
  ],
  ["GatherNd", { inputs: ["params", "indices"], infer: gatherNd }],
  ["ScatterNd", { inputs: ["indices", "updates"], infer: shapeAttr }],
  ["TensorScatterUpdate", { inputs: ["tensor", "indices", "updates"], infer: same }],
  [
    "OneHot",
    {
      inputs: ["indices"],
      infer: (ins, attrs) => [
        { dtype: dtypeAttr(attrs, "int32"), shape: [...input(ins).shape, numberOf(attrs, "depth")] },
      ],
    },
  ],
  [
    "Range",
    {
      inputs: [],
      infer: (_, attrs) => {
        const [start, stop, step] = [numberOf(attrs, "start"), numberOf(attrs, "stop"), numberOf(attrs, "step", 1)]
        const empty = start === stop || (start < stop && step < 0) || (stop < start && step > 1)
        return [{ dtype: dtypeAttr(attrs, "float32"), shape: [empty ? 0 : Math.abs(Math.ceil((stop - start) / step))] }]
      },
    },
  ],
]

/**
 * The tfjs kernels that a program may hold: one row each. To support another kernel, add a row here and a lowering to
 * the engine.
 *
 * Attributes are recorded as tfjs passes them, in a normal form that every tfjs backend accepts too: reduction axes are
 * a sorted list counted from the front, single axes are counted from the front, slices have full `begin` and `size`,
 * and absent attributes are left out.
 */
import * as tf from "@tensorflow/tfjs-core"
import { showSpec, sizeOf, type TensorSpec } from "../tensor.js"
import { fusedKernels } from "./fused.js"
import {
  type Attrs,
  argReduction,
  axesOf,
  axisOf,
  binary,
  type DTypeRule,
  dtypeAttr,
  type Infer,
  input,
  matMul,
  numberOf,
  numbersOf,
  pairsOf,
  reduction,
  unary,
} from "./shapes.js"

export interface Kernel {
  /** Names of the inputs in the order of an equation; a name with `?` may be absent at the end. `list`: any number. */
  readonly inputs: ReadonlyArray<string> | "list"
  readonly infer: Infer
  /** Attributes in normal form. */
  readonly normal?: (attrs: Attrs, inputs: ReadonlyArray<TensorSpec>) => Attrs
  /** Each element of the result depends on the elements of the inputs that broadcasting puts there, and on nothing else. */
  readonly elementwise?: true
  readonly commutative?: true
}

type Row = readonly [string, Kernel]
const rows = (names: string, kernel: Kernel): ReadonlyArray<Row> => names.split(" ").map((name) => [name, kernel])

const pointwise = (names: string, rule: DTypeRule, inputs: ReadonlyArray<string> = ["x"]): ReadonlyArray<Row> =>
  rows(names, { inputs, infer: unary(rule), elementwise: true })
const pairwise = (names: string, rule: DTypeRule): ReadonlyArray<Row> =>
  rows(names, { inputs: ["a", "b"], infer: binary(rule), elementwise: true })
const symmetric = (names: string, rule: DTypeRule): ReadonlyArray<Row> =>
  rows(names, { inputs: ["a", "b"], infer: binary(rule), elementwise: true, commutative: true })

const axes =
  (name: string): NonNullable<Kernel["normal"]> =>
  (attrs, inputs) => ({ ...attrs, [name]: axesOf(attrs, name, input(inputs).shape.length) })
const axis =
  (name: string, more = 0): NonNullable<Kernel["normal"]> =>
  (attrs, inputs) => ({ ...attrs, [name]: axisOf(numberOf(attrs, name, 0), input(inputs).shape.length + more) })

const reductions = (names: string, rule: DTypeRule | "sum", name = "axis"): ReadonlyArray<Row> =>
  rows(names, { inputs: ["x"], infer: reduction(rule, name), normal: axes(name) })

const same: Infer = (inputs) => [input(inputs)]

/** The first input's type, which all share. */
const alike: Infer = (inputs) => {
  const first = input(inputs)
  for (const other of inputs) {
    if (showSpec(other) !== showSpec(first)) throw new Error(`${showSpec(first)} and ${showSpec(other)} must match`)
  }
  return [first]
}

const select: Infer = (inputs) => {
  const [condition, t, e] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)]
  const rows = condition.shape.length === 1 && condition.shape[0] === t.shape[0]
  if (!rows && String(condition.shape) !== String(t.shape)) {
    throw new Error(`select: the condition [${condition.shape}] does not fit [${t.shape}]`)
  }
  return alike([t, e], {})
}

const gatherNd: Infer = (inputs) => {
  const [x, at] = [input(inputs, 0), input(inputs, 1)]
  const depth = at.shape.at(-1)
  if (depth === undefined || depth > x.shape.length) {
    throw new Error(`gatherND: indices [${at.shape}] reach deeper than [${x.shape}]`)
  }
  return [{ dtype: x.dtype, shape: [...at.shape.slice(0, -1), ...x.shape.slice(depth)] }]
}

const segmentSum: Infer = (inputs, attrs) => {
  const [x, ids] = [input(inputs, 0), input(inputs, 1)]
  if (String(x.shape.slice(0, ids.shape.length)) !== String(ids.shape)) {
    throw new Error(`unsortedSegmentSum: ids [${ids.shape}] are not the leading axes of [${x.shape}]`)
  }
  return [{ dtype: x.dtype, shape: [numberOf(attrs, "numSegments"), ...x.shape.slice(ids.shape.length)] }]
}

const concat: Infer = (inputs, attrs) => {
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

const slicing = {
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

const stridedSlice: Infer = (inputs, attrs) => {
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

const split = {
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

const gather: Infer = (inputs, attrs) => {
  const [x, indices] = [input(inputs, 0), input(inputs, 1)]
  const [along, batch] = [numberOf(attrs, "axis"), numberOf(attrs, "batchDims")]
  return [
    { dtype: x.dtype, shape: [...x.shape.slice(0, along), ...indices.shape.slice(batch), ...x.shape.slice(along + 1)] },
  ]
}

const shapeAttr: Infer = (inputs, attrs) => [{ dtype: input(inputs, 1).dtype, shape: numbersOf(attrs, "shape") }]

/** Every supported kernel by its tfjs name. */
export const kernels: ReadonlyMap<string, Kernel> = new Map<string, Kernel>([
  ...pointwise("Neg Abs Sign Expm1 Log Log1p Sqrt Rsqrt Square Reciprocal Sigmoid Softplus Tanh Relu Relu6", "same"),
  ...pointwise("Elu Selu Erf Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh", "same"),
  ...pointwise("Floor Ceil Round Step ClipByValue ZerosLike OnesLike Identity", "same"),
  ...pointwise("Exp LeakyRelu", "float32"),
  ...pointwise("IsNan IsFinite IsInf LogicalNot", "bool"),
  ...symmetric("Add Multiply Maximum Minimum SquaredDifference", "same"),
  ...symmetric("Equal NotEqual LogicalAnd LogicalOr", "bool"),
  ...pairwise("Sub RealDiv Mod Pow Atan2", "same"),
  ...pairwise("FloorDiv", "int32"),
  ...pairwise("Less LessEqual Greater GreaterEqual", "bool"),
  ["EluGrad", { inputs: ["dy", "y"], infer: binary("float32") }],
  ["Prelu", { inputs: ["x", "alpha"], infer: binary("float32"), elementwise: true }],
  ["AddN", { inputs: "list", infer: alike }],
  [
    "Cast",
    {
      inputs: ["x"],
      infer: (ins, attrs) => [{ dtype: dtypeAttr(attrs, "float32"), shape: input(ins).shape }],
      elementwise: true,
    },
  ],
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
  ["Concat", { inputs: "list", infer: concat, normal: axis("axis") }],
  [
    "Pack",
    {
      inputs: "list",
      normal: axis("axis", 1),
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
      normal: axis("axis"),
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
        return [{ dtype: input(ins).dtype, shape: input(ins).shape.map((d, i) => d + pads[i]![0] + pads[i]![1]) }]
      },
    },
  ],
  ["Reverse", { inputs: ["x"], infer: same, normal: axes("dims") }],
  [
    "GatherV2",
    {
      inputs: ["x", "indices"],
      normal: (attrs, ins) => ({ ...axis("axis")(attrs, ins), batchDims: numberOf(attrs, "batchDims", 0) }),
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
  ["LinSpace", { inputs: [], infer: (_, attrs) => [{ dtype: "float32", shape: [numberOf(attrs, "num")] }] }],
  [
    "Fill",
    {
      inputs: [],
      infer: (_, attrs) => [{ dtype: dtypeAttr(attrs, "float32"), shape: numbersOf(attrs, "shape") }],
    },
  ],
  ...reductions("Sum", "sum"),
  ...reductions("Prod", "sum"),
  ...reductions("Mean", "float32"),
  ...reductions("Min", "same"),
  ...reductions("Max", "same", "reductionIndices"),
  ...reductions("All Any", "bool"),
  ...rows("ArgMax ArgMin", { inputs: ["x"], infer: argReduction, normal: axis("axis") }),
  ...rows("Cumsum Cumprod", { inputs: ["x"], infer: unary("same"), normal: axis("axis") }),
  [
    "TopK",
    {
      inputs: ["x"],
      infer: (ins, attrs) => {
        const shape = [...input(ins).shape.slice(0, -1), numberOf(attrs, "k")]
        return [
          { dtype: input(ins).dtype, shape },
          { dtype: "int32", shape },
        ]
      },
    },
  ],
  ["Softmax", { inputs: ["logits"], infer: unary("float32"), normal: axis("dim") }],
  ["LogSoftmax", { inputs: ["logits"], infer: unary("float32"), normal: axis("axis") }],
  ["BatchMatMul", { inputs: ["a", "b"], infer: matMul }],
  [
    "_FusedMatMul",
    {
      inputs: ["a", "b", "bias?"],
      infer: matMul,
    },
  ],
  ["UnsortedSegmentSum", { inputs: ["x", "segmentIds"], infer: segmentSum }],
  ...fusedKernels,
])

/**
 * The tfjs kernels that a program may hold: one row each. To support another kernel, add a row here and a lowering to
 * the engine.
 *
 * Attributes are recorded as tfjs passes them, in a normal form that every tfjs backend accepts too: reduction axes are
 * a sorted list counted from the front, single axes are counted from the front, slices have full `begin` and `size`,
 * and absent attributes are left out.
 */
import * as tf from "@tensorflow/tfjs-core"
import { sizeOf, type TensorSpec } from "../tensor.js"
import { fusedKernels } from "./fused.js"
import { imageKernels } from "./imageKernels.js"
import {
  alike,
  concat,
  gather,
  gatherNd,
  same,
  segmentSum,
  select,
  shapeAttr,
  slicing,
  split,
  stridedSlice,
} from "./partShapes.js"
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
  ...imageKernels,
  ...fusedKernels,
])

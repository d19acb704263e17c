/**
 * The tfjs kernels that a program may hold: one row each. To support another kernel, add a row here (or to the
 * table of its family: partKernels, imageKernels, fused) and a lowering to the engine.
 *
 * Attributes are recorded as tfjs passes them, in a normal form that every tfjs backend accepts too: reduction axes are
 * a sorted list counted from the front, single axes are counted from the front, slices have full `begin` and `size`,
 * and absent attributes are left out.
 */
import type { TensorSpec } from "../tensor.js"
import { fusedKernels } from "./fused.js"
import { imageKernels } from "./imageKernels.js"
import { partKernels } from "./partKernels.js"
import { alike, segmentSum } from "./partShapes.js"
import {
  type Attrs,
  argReduction,
  axesFromFront,
  axisFromFront,
  binary,
  type DTypeRule,
  dtypeAttr,
  type Infer,
  input,
  matMul,
  numberOf,
  numbersOf,
  real,
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

const reductions = (names: string, rule: DTypeRule | "sum", name = "axis"): ReadonlyArray<Row> =>
  rows(names, { inputs: ["x"], infer: reduction(rule, name), normal: axesFromFront(name) })

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
  ["EluGrad", { inputs: ["dy", "y"], infer: real(binary("float32")) }],
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
  ...partKernels,
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
  ...rows("ArgMax ArgMin", { inputs: ["x"], infer: argReduction, normal: axisFromFront("axis") }),
  ...rows("Cumsum Cumprod", { inputs: ["x"], infer: unary("same"), normal: axisFromFront("axis") }),
  [
    "TopK",
    {
      inputs: ["x"],
      infer: (ins, attrs) => {
        if (input(ins).dtype === "bool") throw new Error("topk does not take bool: cast it")
        const shape = [...input(ins).shape.slice(0, -1), numberOf(attrs, "k")]
        return [
          { dtype: input(ins).dtype, shape },
          { dtype: "int32", shape },
        ]
      },
    },
  ],
  ["Softmax", { inputs: ["logits"], infer: unary("float32"), normal: axisFromFront("dim") }],
  ["LogSoftmax", { inputs: ["logits"], infer: unary("float32"), normal: axisFromFront("axis") }],
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

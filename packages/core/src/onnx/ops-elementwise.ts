/** Kernels that work element by element, with broadcasting. */
import { sizeOf } from "../tensor.js"
import { atan2, expm1, log1p, sign, step, where } from "./formulas.js"
import { arithmeticType, asOutput, type Graph, type Lowering, type Lowerings, number } from "./graph.js"
import type { ElementType } from "./proto.js"

/** The inputs, converted to one type. */
const operands = (
  graph: Graph,
  equation: Parameters<Lowering>[1],
  inputs: ReadonlyArray<string>,
  to: ElementType,
): ReadonlyArray<string> => inputs.map((name, i) => graph.cast(name, equation.inputs[i]!.dtype, to))

/** Arithmetic in float32 or int32, as tfjs does it. */
const arithmetic =
  (compute: (graph: Graph, inputs: ReadonlyArray<string>, dtype: "float32" | "int32") => string): Lowering =>
  (graph, equation, inputs) => {
    const dtype = arithmeticType(equation.inputs)
    return asOutput(graph, equation, compute(graph, operands(graph, equation, inputs, dtype), dtype), dtype)
  }

/** A function of real numbers: integers are converted first. */
const real =
  (compute: (graph: Graph, x: string, attr: (name: string, otherwise?: number) => number) => string): Lowering =>
  (graph, equation, inputs) => {
    const [x] = operands(graph, equation, inputs, "float32")
    const attr = (name: string, otherwise?: number): number => number(equation.attrs[name], otherwise)
    return asOutput(graph, equation, compute(graph, x!, attr), "float32")
  }

/** An operator of ONNX that means the same. */
const same = (op: string): Lowering => arithmetic((graph, inputs) => graph.node(op, inputs))
const sameReal = (op: string): Lowering => real((graph, x) => graph.node(op, [x]))

const compare =
  (op: string): Lowering =>
  (graph, equation, inputs) => {
    const dtype = arithmeticType(equation.inputs)
    return asOutput(graph, equation, graph.node(op, operands(graph, equation, inputs, dtype)), "bool")
  }

const logical =
  (op: string): Lowering =>
  (graph, equation, inputs) =>
    asOutput(graph, equation, graph.node(op, operands(graph, equation, inputs, "bool")), "bool")

/** Integer quotients and remainders go through float64, which holds every int32 and does not trap on a zero divisor. */
const wholeNumbers =
  (compute: (graph: Graph, a: string, b: string, dtype: ElementType) => string): Lowering =>
  (graph, equation, inputs) => {
    const dtype = arithmeticType(equation.inputs) === "float32" ? "float32" : "float64"
    const [a, b] = operands(graph, equation, inputs, dtype)
    return asOutput(graph, equation, compute(graph, a!, b!, dtype), dtype)
  }

const addAll = arithmetic((graph, inputs) =>
  inputs.slice(1).reduce((sum, x) => graph.node("Add", [sum, x]), inputs[0]!),
)

const clip = (graph: Graph, x: string, low: number, high: number): string =>
  graph.node("Clip", [x, graph.scalar("float32", low), graph.scalar("float32", high)])

/** Klambauer et al. 2017, equation 14. */
const selu = { alpha: { float: 1.6732632423543772 }, gamma: { float: 1.0507009873554805 } }

export const elementwise: Lowerings = {
  Add: same("Add"),
  /** ONNX's Sum adds any number of tensors in order, but on one thread: for few elements only. */
  AddN: (graph, equation, inputs) => {
    const { dtype, shape } = equation.outputs[0]!
    if (dtype === "float32" && sizeOf(shape) <= 1024) {
      return graph.node("Sum", operands(graph, equation, inputs, "float32"))
    }
    return addAll(graph, equation, inputs)
  },
  Sub: same("Sub"),
  Multiply: same("Mul"),
  RealDiv: (graph, equation, inputs) =>
    asOutput(graph, equation, graph.node("Div", operands(graph, equation, inputs, "float32")), "float32"),
  FloorDiv: wholeNumbers((graph, a, b) => graph.node("Floor", [graph.node("Div", [a, b])])),
  /** JavaScript's remainder where both signs agree, else moved once by the divisor. */
  Mod: wholeNumbers((graph, a, b, dtype) => {
    const fmod = { fmod: 1 }
    const zero = graph.scalar(dtype, 0)
    const rest = graph.node("Mod", [a, b], fmod)
    const moved = graph.node("Mod", [graph.node("Add", [rest, b]), b], fmod)
    const negative = (x: string): string => graph.node("Less", [x, zero])
    return where(graph, graph.node("Equal", [negative(a), negative(b)]), rest, moved)
  }),
  Maximum: same("Max"),
  Minimum: same("Min"),
  Pow: same("Pow"),
  SquaredDifference: arithmetic((graph, inputs) => {
    const difference = graph.node("Sub", inputs)
    return graph.node("Mul", [difference, difference])
  }),

  Neg: same("Neg"),
  Abs: same("Abs"),
  Sign: arithmetic(sign),
  Square: arithmetic((graph, [x]) => graph.node("Mul", [x!, x!])),
  Exp: sameReal("Exp"),
  Expm1: real(expm1),
  Log: sameReal("Log"),
  Log1p: real(log1p),
  Sqrt: sameReal("Sqrt"),
  Rsqrt: real((graph, x) => graph.node("Reciprocal", [graph.node("Sqrt", [x])])),
  Reciprocal: sameReal("Reciprocal"),
  Sin: sameReal("Sin"),
  Cos: sameReal("Cos"),
  Tan: sameReal("Tan"),
  Sinh: sameReal("Sinh"),
  Cosh: sameReal("Cosh"),
  Asin: sameReal("Asin"),
  Acos: sameReal("Acos"),
  Atan: sameReal("Atan"),
  Asinh: sameReal("Asinh"),
  Acosh: sameReal("Acosh"),
  Atanh: sameReal("Atanh"),
  Atan2: (graph, equation, inputs) => {
    const [y, x] = operands(graph, equation, inputs, "float32")
    return asOutput(graph, equation, atan2(graph, y!, x!), "float32")
  },
  Erf: sameReal("Erf"),
  Floor: sameReal("Floor"),
  Ceil: sameReal("Ceil"),
  Round: sameReal("Round"),
  Sigmoid: sameReal("Sigmoid"),
  Tanh: sameReal("Tanh"),
  Softplus: sameReal("Softplus"),
  Relu: sameReal("Relu"),
  Relu6: real((graph, x) => clip(graph, x, 0, 6)),
  LeakyRelu: real((graph, x, attr) => graph.node("LeakyRelu", [x], { alpha: { float: attr("alpha") } })),
  Elu: sameReal("Elu"),
  Prelu: (graph, equation, inputs) => graph.node("PRelu", operands(graph, equation, inputs, "float32")),
  /** dy · (y ≥ 0 ? 1 : y + 1) */
  EluGrad: (graph, equation, [dy, y]) => {
    const one = graph.scalar("float32", 1)
    const slope = where(graph, graph.node("Less", [y!, graph.scalar("float32", 0)]), graph.node("Add", [y!, one]), one)
    return asOutput(graph, equation, graph.node("Mul", [dy!, slope]), "float32")
  },
  Selu: real((graph, x) => graph.node("Selu", [x], selu)),
  Step: real((graph, x, attr) => step(graph, x, attr("alpha"))),
  ClipByValue: real((graph, x, attr) => clip(graph, x, attr("clipValueMin"), attr("clipValueMax"))),

  IsNan: (graph, equation, inputs) => graph.node("IsNaN", operands(graph, equation, inputs, "float32")),
  IsInf: (graph, equation, inputs) => graph.node("IsInf", operands(graph, equation, inputs, "float32")),
  IsFinite: (graph, equation, inputs) => {
    const [x] = operands(graph, equation, inputs, "float32")
    return graph.node("Less", [graph.node("Abs", [x!]), graph.scalar("float32", Number.POSITIVE_INFINITY)])
  },
  Equal: compare("Equal"),
  NotEqual: (graph, equation, inputs) =>
    graph.node("Not", [graph.node("Equal", operands(graph, equation, inputs, arithmeticType(equation.inputs)))]),
  Less: compare("Less"),
  LessEqual: compare("LessOrEqual"),
  Greater: compare("Greater"),
  GreaterEqual: compare("GreaterOrEqual"),
  LogicalAnd: logical("And"),
  LogicalOr: logical("Or"),
  LogicalNot: logical("Not"),
  /** A condition of rank 1 selects whole rows. */
  Select: (graph, equation, [condition, yes, no]) => {
    const [on, t, e] = equation.inputs
    const rows = on!.shape.length === 1 && t!.shape.length > 1
    const shape = rows ? [...on!.shape, ...new Array<number>(t!.shape.length - 1).fill(1)] : on!.shape
    const mask = graph.reshape(graph.cast(condition!, on!.dtype, "bool"), on!.shape, shape)
    // ONNX Runtime has no Where of bool.
    const { dtype } = equation.outputs[0]!
    const type = dtype === "bool" ? "int32" : dtype
    const made = where(graph, mask, graph.cast(yes!, t!.dtype, type), graph.cast(no!, e!.dtype, type))
    return graph.cast(made, type, dtype)
  },
  Cast: (graph, equation, [x]) => graph.cast(x!, equation.inputs[0]!.dtype, equation.outputs[0]!.dtype),
  Identity: (_graph, _equation, [x]) => x!,
}

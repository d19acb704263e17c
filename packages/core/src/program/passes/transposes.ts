/**
 * The transposes between channels first and channels last move behind the kernels that read them, until they meet one
 * that undoes them: so images keep channels first from one convolution to the next, forward and backward. No element
 * changes its value; a reduction may add in another order.
 */
import { sizeOf } from "../../tensor.js"
import type { Equation, Program, Value } from "../ir.js"
import { kernels } from "../kernels.js"
import { numberOf, numbersOf, pairsOf } from "../shapes.js"
import { isFirst, layouts, toFirst } from "../windows.js"
import { type Rewrite, rewrite, type Scope } from "./rewrite.js"

/** Axis i of an image with channels last is axis `places[i]` with channels first. */
const places = layouts.toLast
const isPerm = (made: Equation | undefined, perm: ReadonlyArray<number>): boolean =>
  made?.op === "Transpose" && String(made.attrs.perm) === String(perm)

/** One value per axis, in the order of channels first. */
const reordered = <A>(values: ReadonlyArray<A>): Array<A> => layouts.toFirst.map((axis) => values[axis]!)

const reductions = new Map([
  ["Sum", "axis"],
  ["Mean", "axis"],
  ["Prod", "axis"],
  ["Min", "axis"],
  ["All", "axis"],
  ["Any", "axis"],
  ["Max", "reductionIndices"],
])

/** Kernels whose operands all have the shape of the result. */
const alike = new Set(["AddN", "Select", "EluGrad"])

/** Equations in the place of one, on images with channels first. */
interface Turner {
  readonly equation: Equation
  readonly scope: Scope
  /** What `first` has made so far. */
  readonly equations: ReadonlyArray<Equation>
  /** The image with channels first behind a transpose. */
  readonly source: (value: Value) => Value | null
  /** Any operand that broadcasts to an image, with channels first. */
  readonly first: (value: Value) => Value
  /** The kernel on images with channels first, and its results turned back. */
  readonly finish: (inputs: ReadonlyArray<Value>, attrs: Equation["attrs"]) => Rewrite
}

const turnerOf = (equation: Equation, scope: Scope): Turner => {
  const equations: Array<Equation> = []
  const emit = (op: string, input: Value, attrs: Equation["attrs"], shape: ReadonlyArray<number>): Value => {
    const made = scope.fresh({ dtype: input.dtype, shape })
    equations.push({ op, inputs: [input], attrs, outputs: [made], path: equation.path })
    return made
  }
  const source = (value: Value): Value | null => {
    const made = scope.producer(value)
    return isPerm(made, layouts.toLast) ? made!.inputs[0]! : null
  }
  return {
    equation,
    scope,
    equations,
    source,
    first: (value) => {
      const turned = source(value)
      if (turned !== null) return turned
      if (sizeOf(value.shape) === 1 && value.shape.length < 2) return value
      const shape = [...new Array<number>(4 - value.shape.length).fill(1), ...value.shape]
      const whole = value.shape.length === 4 ? value : emit("Reshape", value, { shape }, shape)
      return emit("Transpose", whole, { perm: [...layouts.toFirst] }, toFirst(shape))
    },
    finish: (inputs, attrs) => {
      const made = equation.outputs.map(({ dtype, shape }) => scope.fresh({ dtype, shape: toFirst(shape) }))
      equations.push({ ...equation, inputs, attrs, outputs: made })
      const back = (from: Value, to: Value): Equation => ({
        op: "Transpose",
        inputs: [from],
        attrs: { perm: [...layouts.toLast] },
        outputs: [to],
        path: equation.path,
      })
      return { equations: [...equations, ...made.map((value, i) => back(value, equation.outputs[i]!))] }
    },
  }
}

const reduction = (turner: Turner, source: Value, name: string): Rewrite => {
  const { equation, scope } = turner
  const [output] = equation.outputs
  const axes = numbersOf(equation.attrs, name)
  const attrs = { ...equation.attrs, [name]: axes.map((axis) => places[axis]!).sort((a, b) => a - b) }
  if (equation.attrs.keepDims === true) return turner.finish([source], attrs)
  const left = [0, 1, 2, 3].filter((axis) => !axes.includes(axis)).map((axis) => places[axis]!)
  const sorted = left.toSorted((a, b) => a - b)
  if (String(left) === String(sorted)) return { equations: [{ ...equation, inputs: [source], attrs }] }
  const perm = left.map((axis) => sorted.indexOf(axis))
  const shape = perm.map((_, i) => output!.shape[perm.indexOf(i)]!)
  const made = scope.fresh({ dtype: output!.dtype, shape })
  return {
    equations: [
      { ...equation, inputs: [source], attrs, outputs: [made] },
      { op: "Transpose", inputs: [made], attrs: { perm }, outputs: [output!], path: equation.path },
    ],
  }
}

/** T f(x) = f(T x) where f reads one image: T meets what is before f, and f another f of the same image. */
const raise = (equation: Equation, scope: Scope): Rewrite => {
  const [x] = equation.inputs
  const made = scope.producer(x!)
  if (made === undefined || !scope.once(x!) || kernels.get(made.op)?.elementwise !== true) return null
  const large = made.inputs.filter(({ shape }) => sizeOf(shape) === sizeOf(x!.shape))
  if (large.length !== 1 || large[0]!.shape.length !== 4) return null
  const turner = turnerOf(made, scope)
  const inputs = made.inputs.map((value) => turner.first(value))
  return { equations: [...turner.equations, { ...made, inputs, outputs: equation.outputs }] }
}

const sink = (equation: Equation, scope: Scope): Rewrite => {
  const { op, inputs, attrs, outputs } = equation
  const turner = turnerOf(equation, scope)
  const sources = inputs.map((value) => turner.source(value))
  const [source] = sources
  if (sources.every((found) => found === null)) {
    return isPerm(equation, layouts.toFirst) ? raise(equation, scope) : null
  }
  if (isPerm(equation, layouts.toFirst) && source != null) return { values: [source] }
  const reduced = reductions.get(op)
  if (reduced !== undefined && source != null) return reduction(turner, source, reduced)
  if (outputs.some(({ shape }) => shape.length !== 4)) return null
  // An operand of the size of the image that is not turned yet costs as much as is gained.
  const others = inputs.filter((value, i) => sources[i] === null && sizeOf(value.shape) === sizeOf(outputs[0]!.shape))
  const worth = others.length <= sources.filter((found) => found !== null).length
  const pointwise = kernels.get(op)?.elementwise === true
  const same = alike.has(op) && inputs.every(({ shape }) => String(shape) === String(outputs[0]!.shape))
  if (pointwise || same) {
    return worth
      ? turner.finish(
          inputs.map((value) => turner.first(value)),
          attrs,
        )
      : null
  }
  if (op === "Concat") {
    if (sources.filter((found) => found === null).length * 2 > inputs.length) return null
    return turner.finish(
      inputs.map((value) => turner.first(value)),
      { ...attrs, axis: places[numberOf(attrs, "axis")]! },
    )
  }
  if (source == null || inputs.length > 1) return null
  const move = (name: string): Record<string, Array<number>> => ({ [name]: reordered(numbersOf(attrs, name)) })
  switch (op) {
    case "Slice":
      return turner.finish([source], { ...attrs, ...move("begin"), ...move("size") })
    case "Tile":
      return turner.finish([source], { ...attrs, ...move("reps") })
    case "PadV2":
      return turner.finish([source], {
        ...attrs,
        paddings: reordered(pairsOf(attrs, "paddings")).map(([before, after]) => [before, after]),
      })
    case "SplitV":
      return turner.finish([source], { ...attrs, axis: places[numberOf(attrs, "axis")]! })
    case "Reverse":
      return turner.finish([source], { ...attrs, dims: numbersOf(attrs, "dims").map((axis) => places[axis]!) })
  }
  return null
}

/** Nothing moves in a program without images. */
export const transposes = (program: Program): Program =>
  program.equations.some(({ attrs }) => isFirst(attrs)) ? rewrite(program, sink) : program

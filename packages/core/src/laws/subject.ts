/**
 * What general laws are about: a function of tensors with typed ports. The ports say what it may be given, so they are its
 * arbitraries too; every tensor node is such a subject.
 */
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { axisNames, parseAxes } from "../axes.js"
import type { Tensors } from "../engine.js"
import { BadConfig, BadLength, ShapeMismatch } from "../errors.js"
import { isPort, type Outputs } from "../node.js"
import type { Port, Ports } from "../port.js"
import { type DType, type HostTensors, sizeOf } from "../tensor.js"
import { expectClose, expectSame, type Tolerance } from "./close.js"
import type { Law } from "./law.js"
import { examplesOfPort, isContinuous } from "./units.js"

type Sizes = Readonly<Record<string, number>>
type Numbers = ReadonlyArray<number>

export interface TensorSubject {
  readonly name: string
  readonly in: Ports
  /** One port, or several by name. */
  readonly out: Outputs
  /** Sizes of axes that do not vary. */
  readonly sizes?: Sizes
  /** The least and the greatest size of axes that vary; 1 to 3 unless given. */
  readonly ranges?: Readonly<Record<string, readonly [least: number, greatest: number]>>
  /** What an input may be, where its port's unit does not tell: row-major numbers of a shape. */
  readonly examples?: Readonly<Record<string, (shape: Numbers, sizes: Sizes) => fc.Arbitrary<Array<number>>>>
  /** Parameters by flat name. */
  readonly params?: HostTensors
  readonly apply: (inputs: Tensors, params: Tensors) => tf.Tensor | Tensors
}

/** What a tensor node says of its laws: those of its own, and what those of every node are to be tried on. */
export interface NodeLaws extends Pick<TensorSubject, "sizes" | "ranges" | "examples"> {
  readonly laws?: ReadonlyArray<SubjectLaws>
  /** `coupled`: rows of a batch act on each other, as in whitening. By default each is computed by itself. */
  readonly batch?: "coupled"
  /** `stopped`: something in it has no gradient on purpose, as where a part of a loss is to teach one output alone. */
  readonly gradient?: "stopped"
}

/** A law that any subject with the ports that it speaks of can be put under. */
export type SubjectLaw = (subject: TensorSubject) => Law

/** One law or a set of them. */
export type SubjectLaws = (subject: TensorSubject) => Law | ReadonlyArray<Law>

/** Sizes of the axes, and each input's numbers, row-major. */
export interface Example {
  readonly sizes: Sizes
  readonly inputs: Readonly<Record<string, Numbers>>
}

/** The shape that a port's axes have at sizes: `"b (h e) 3"` -> [2, 8, 3]. */
export const shapeOf = ({ axes }: Port, sizes: Sizes): Array<number> =>
  (parseAxes(axes) ?? []).map((axis) =>
    axis.reduce<number>((size, factor) => size * (typeof factor === "number" ? factor : (sizes[factor] ?? 1)), 1),
  )

/** The outputs' ports by name; a single one is called `out`. */
export const outPorts = ({ out }: TensorSubject): Ports => (isPort(out) ? { out } : out)

/** The inputs that a gradient is asked for: real numbers, unless they stand for masks or ranks. */
export const continuousInputs = (subject: TensorSubject): ReadonlyArray<string> =>
  Object.keys(subject.in).filter((name) => isContinuous(subject.in[name]!))

/** Nested arrays, so that a counterexample shows rows. */
const nested = (flat: Numbers, shape: Numbers): unknown => {
  const [first, ...rest] = shape
  if (first === undefined) return flat[0]
  const each = sizeOf(rest)
  return Array.from({ length: first }, (_, i) => nested(flat.slice(i * each, (i + 1) * each), rest))
}

const shown = (subject: TensorSubject, { sizes, inputs }: Example): string =>
  [
    ...Object.entries(sizes).map(([axis, size]) => `${axis}=${size}`),
    ...Object.entries(inputs).map(
      ([name, flat]) =>
        `${name} ${fc.stringify(nested(flat, shapeOf(subject.in[name]!, sizes))).replaceAll(",", ", ")}`,
    ),
  ].join("  ")

/** Any inputs of the subject, at any small sizes. */
export const examplesOf = (subject: TensorSubject): fc.Arbitrary<Example> => {
  const ports = Object.entries(subject.in)
  const axes = [...new Set(ports.flatMap(([, port]) => axisNames(port.axes)))]
  const sizes = Object.fromEntries(
    axes.map((axis) => {
      const [min, max] = subject.ranges?.[axis] ?? [1, 3]
      const fixed = subject.sizes?.[axis]
      return [axis, fixed === undefined ? fc.integer({ min, max }) : fc.constant(fixed)]
    }),
  )
  return fc.record(sizes).chain((drawn: Sizes) => {
    const known = { ...subject.sizes, ...drawn }
    const inputs = ports.map(([name, port]) => {
      const shape = shapeOf(port, known)
      return [name, subject.examples?.[name]?.(shape, known) ?? examplesOfPort(port, shape, known)] as const
    })
    return fc.record(Object.fromEntries(inputs)).map((given): Example => {
      const example: Example = { sizes: drawn, inputs: given }
      Object.defineProperty(example, fc.toStringMethod, { value: () => shown(subject, example) })
      return example
    })
  })
}

/** The example with other numbers for some inputs. */
export const withInputs = (example: Example, changed: Readonly<Record<string, Numbers>>): Example => ({
  sizes: example.sizes,
  inputs: { ...example.inputs, ...changed },
})

/** The example's inputs as tensors of their ports' types. */
export const tensorsOf = (subject: TensorSubject, { sizes, inputs }: Example): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(subject.in).map(([name, port]) => [
      name,
      tf.tensor([...inputs[name]!], shapeOf(port, { ...subject.sizes, ...sizes }), port.dtype as DType),
    ]),
  )

/** The parameters as tensors. */
export const paramsOf = ({ params = {} }: TensorSubject): Record<string, tf.Tensor> =>
  Object.fromEntries(
    Object.entries(params).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)]),
  )

/**
 * The outputs at tensors, by name. An example that the subject refuses as too long, misshapen or misconfigured is none.
 */
export const applied = (
  subject: TensorSubject,
  inputs: Tensors,
  params: Tensors,
): Readonly<Record<string, tf.Tensor>> => {
  try {
    const result = subject.apply(inputs, params)
    return isPort(subject.out) ? { out: result as tf.Tensor } : (result as Tensors)
  } catch (error) {
    if (error instanceof ShapeMismatch || error instanceof BadLength || error instanceof BadConfig) fc.pre(false)
    throw error
  }
}

/** Numbers by the output's name. */
export type Results = Readonly<Record<string, Numbers>>

/** What the subject gives for an example. */
export const resultsOf = (subject: TensorSubject, example: Example): Results =>
  Object.fromEntries(
    Object.entries(applied(subject, tensorsOf(subject, example), paramsOf(subject))).map(([name, tensor]) => [
      name,
      Array.from(tensor.dataSync()),
    ]),
  )

/** Throws unless every output is near the expected one. */
export const expectResults = (actual: Results, expected: Results, tolerance?: Tolerance): void =>
  each(actual, expected, (got, wanted) => expectClose(got, wanted, tolerance))

/** Throws unless every output is the expected one, bit for bit. */
export const expectSameResults = (actual: Results, expected: Results): void => each(actual, expected, expectSame)

const each = (actual: Results, expected: Results, compare: (got: Numbers, wanted: Numbers) => void): void => {
  const several = Object.keys(expected).length > 1
  for (const [name, wanted] of Object.entries(expected)) {
    try {
      compare(actual[name] ?? [], wanted)
    } catch (error) {
      throw several ? new Error(`${name}: ${(error as Error).message}`) : error
    }
  }
}

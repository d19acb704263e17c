/** Programs as ONNX models: one table row per kernel, names that show where in the graph a node comes from. */
import { createHash } from "node:crypto"
import { UnsupportedOp } from "../errors.js"
import type { Program } from "../program/ir.js"
import { channels } from "../program/passes/channels.js"
import { rewrite } from "../program/passes/rewrite.js"
import { writtenOut } from "../updates/places.js"
import { type Constants, constantsOf } from "./constants.js"
import { type Lowerings, openGraph } from "./graph.js"
import { convolutions } from "./ops-conv.js"
import { elementwise } from "./ops-elementwise.js"
import { fused } from "./ops-fused.js"
import { indexing } from "./ops-index.js"
import { pools } from "./ops-pool.js"
import { reducing } from "./ops-reduce.js"
import { shape } from "./ops-shape.js"
import { withoutFusedMatMul } from "./portable.js"
import { encodeModel, type NodeProto, tensorProto, withMetadata } from "./proto.js"
import { ranksOf } from "./ranks.js"

/** ONNX operator sets that the lowerings are written for. */
const opsets = { "": 21, "com.microsoft": 1 }

const lowerings: Lowerings = { ...elementwise, ...shape, ...indexing, ...reducing, ...convolutions, ...pools, ...fused }

/** A program in ONNX, with the model's name for each of its inputs and outputs, in their order. */
export interface Lowered {
  readonly bytes: Uint8Array
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  /** The initializers that are yet to be added: the name of the input in whose place they are -> theirs. */
  readonly initializers: Constants["initializers"]
  /** The inputs that the model does not have. */
  readonly absent: Constants["absent"]
  /** Which equation a node was written for: the node's name -> the equation's place in the program. */
  readonly origins: ReadonlyMap<string, number>
}

/** Names as they are, made unique by a suffix. */
const uniqueNames = (wanted: ReadonlyArray<string>, taken: Set<string>): ReadonlyArray<string> =>
  wanted.map((name) => {
    let unique = name
    for (let i = 2; taken.has(unique); i++) unique = `${name}.${i}`
    taken.add(unique)
    return unique
  })

const portName = ({ slot, name }: { readonly slot: string | null; readonly name: string }): string =>
  slot === null ? name : `${slot}/${name}`

/** What an engine's model has beyond the program. */
export interface LowerOptions {
  /** The name of an output to put in front of all others: an empty sequence. */
  readonly sequenceOutput?: string
  /** State slots whose values are to be initializers (`constantsOf`): the model is complete when these are added. */
  readonly constants?: ReadonlyArray<string>
  /** Tables of which rows are looked up stay inputs. */
  readonly tables?: boolean
  /** Without operators that ONNX Runtime has for the CPU alone. */
  readonly portable?: boolean
}

/**
 * A program as an ONNX model.
 * @fails UnsupportedOp   a kernel without a lowering
 */
export const lower = (given: Program, options: LowerOptions = {}): Lowered => {
  const { constants = [], tables = false, portable = false } = options
  const program = writtenOut(rewrite(given, channels))
  const graph = openGraph()
  const taken = new Set<string>()
  const inputs = uniqueNames(program.inputs.map(portName), taken)
  const outputs = uniqueNames(
    program.outputs.map((output) => (output.slot === null ? output.name : `${portName(output)}:next`)),
    taken,
  )
  const names = new Map<number, string>()
  program.inputs.forEach(({ value }, i) => {
    names.set(value.id, inputs[i]!)
  })
  for (const { value, tensor } of program.constants) {
    const name = `constant.v${value.id}`
    graph.proto.initializers.push(tensorProto(name, tensor))
    names.set(value.id, name)
  }
  const inputOf = new Map(names)
  const { initializers, absent, nameFor } = constantsOf(program, constants, ({ id }) => inputOf.get(id)!, tables)
  for (const { value } of program.inputs) {
    const initializer = initializers.get(inputOf.get(value.id)!)
    if (initializer !== undefined) names.set(value.id, initializer)
  }
  const origins = new Map<string, number>()
  for (const [place, equation] of program.equations.entries()) {
    const written = graph.proto.nodes.length
    const lowering = Object.hasOwn(lowerings, equation.op) ? lowerings[equation.op] : undefined
    if (lowering === undefined) {
      throw new UnsupportedOp({
        where: equation.path === "" ? program.name : equation.path,
        expected: "a kernel that can be written in ONNX",
        received: equation.op,
        fix: 'write it with other tfjs operations, or run this function on the engine "tfjs:cpu"',
      })
    }
    graph.at(equation)
    const results = [
      lowering(
        graph,
        equation,
        equation.inputs.map(({ id }, place) => nameFor(equation, place) ?? inputOf.get(id) ?? names.get(id)!),
      ),
    ].flat()
    for (const { name } of graph.proto.nodes.slice(written)) origins.set(name, place)
    equation.outputs.forEach(({ id }, i) => {
      names.set(id, results[i]!)
    })
  }
  const results = program.outputs.map(({ value }) => names.get(value.id)!)
  const written = portable
    ? withoutFusedMatMul(graph.proto.nodes, ranksOf(program, names, graph.proto))
    : graph.proto.nodes
  const nodes = nameOutputs(written, results, outputs)
  return {
    bytes: encode(program, nodes, graph.proto, inputs, outputs, absent, options),
    inputs,
    outputs,
    initializers,
    absent,
    origins,
  }
}

/** Gives the results their names: by renaming where a node makes them, by Identity where an input or constant is one. */
const nameOutputs = (
  nodes: ReadonlyArray<NodeProto>,
  results: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
): ReadonlyArray<NodeProto> => {
  const made = new Set(nodes.flatMap((node) => node.outputs))
  const renamed = new Map<string, string>()
  const copies: Array<NodeProto> = []
  results.forEach((name, i) => {
    const output = outputs[i]!
    if (made.has(name) && !renamed.has(name)) renamed.set(name, output)
    else {
      const input = renamed.get(name) ?? name
      copies.push({
        name: `${output}/Identity`,
        op: "Identity",
        domain: "",
        inputs: [input],
        outputs: [output],
        attributes: {},
      })
    }
  })
  const rename = (name: string): string => renamed.get(name) ?? name
  return [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }))
}

const encode = (
  program: Program,
  nodes: ReadonlyArray<NodeProto>,
  { initializers }: ReturnType<typeof openGraph>["proto"],
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  absent: Constants["absent"],
  { sequenceOutput }: LowerOptions,
): Uint8Array => {
  const sequence = (name: string): NodeProto => ({
    name,
    op: "SequenceEmpty",
    domain: "",
    inputs: [],
    outputs: [name],
    attributes: {},
  })
  const model = encodeModel({
    name: program.name,
    producer: "millrace",
    opsets,
    nodes: sequenceOutput === undefined ? nodes : [sequence(sequenceOutput), ...nodes],
    ...(sequenceOutput === undefined ? {} : { sequenceOutput }),
    initializers,
    inputs: program.inputs.flatMap(({ value: { dtype, shape } }, i) =>
      absent.has(inputs[i]!) ? [] : [{ name: inputs[i]!, dtype, shape }],
    ),
    outputs: program.outputs.map(({ value }, i) => ({ name: outputs[i]!, dtype: value.dtype, shape: value.shape })),
  })
  const digest = createHash("sha256").update(model).digest("hex")
  return withMetadata(model, { "millrace.program": program.name, "millrace.sha256": digest })
}

/**
 * A program as the bytes of an `.onnx` file, for Netron and for any ONNX runtime that knows opset 21 and ORT's own
 * `com.microsoft` operators.
 * @fails UnsupportedOp  a kernel without a lowering
 */
export const toOnnx = (program: Program): Uint8Array => lower(program).bytes

/**
 * Nodes: the whole contract. A node type is defined once, with a config schema; calling it with a config gives a node.
 *
 *   const logits = defineTensorNode({ type: "gpt.logits", version: 1, config: GptConfig, ports, params, apply })
 *   logits({ layers: 4, … })        // a node, ready to be wired
 *
 * Tensor nodes are pure functions of parameters and tensors, written in the tfjs API; they are differentiated and
 * captured. Stage nodes are effects on artifacts; they are executed once. Both are wired by the same builder.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { Effect, Result } from "effect"
import type { Files } from "./artifact.js"
import type { BadConfig, BadData } from "./errors.js"
import { type ConfigSchema, decodeConfig } from "./graph/config.js"
import type { Init } from "./init.js"
import type { NodeLaws } from "./laws/subject.js"
import type { Outline, OutlineInputs } from "./outline.js"
import type { Port, Ports, ValueOf } from "./port.js"
import type { StageContext } from "./run/context.js"
import type { MapTree, Tree } from "./tree.js"

/** How one parameter starts. */
export interface ParamSpec {
  readonly shape: ReadonlyArray<number>
  readonly init: Init
  /** Weight decay applies; by default to every parameter with two axes or more. */
  readonly decay?: boolean
  /** False for what is measured and not learned, such as running statistics: it gets no gradient and no step. */
  readonly learns?: boolean
  /** The largest value: whatever a step of the optimiser leaves above it is lowered to it. The gradient never sees it. */
  readonly max?: number
}

export const isParamSpec = (value: unknown): value is ParamSpec =>
  typeof value === "object" && value !== null && "shape" in value && "init" in value

/** The tree of parameter tensors that belongs to a tree of specs. */
export type ParamsOf<S> = MapTree<S, ParamSpec, tf.Tensor>

/** What a node gives: one value under its own name, or several under `name.port`. */
export type Outputs = Port | Ports

export type ValuesOf<P extends Ports> = { readonly [K in keyof P]: ValueOf<P[K]> }
export type OutputValues<O extends Outputs> = O extends Port ? ValueOf<O> : O extends Ports ? ValuesOf<O> : never

export const isPort = (outputs: Outputs): outputs is Port => typeof (outputs as Port).dtype === "string"

/** What tensor nodes and stage nodes have in common. */
export interface NodeBase<In extends Ports, Out extends Outputs> {
  readonly type: string
  readonly version: number
  /** The decoded config; plain JSON data. */
  readonly config: unknown
  readonly in: In
  readonly out: Out
  /** Axis sizes that the config fixes: `{ v: 512, d: 128 }`. */
  readonly sizes: Readonly<Record<string, number>>
  /** Paper and section that the node follows. */
  readonly source?: string
}

/** A pure tensor function with parameters. */
export interface TensorNode<In extends Ports = Ports, Out extends Outputs = Outputs> extends NodeBase<In, Out> {
  readonly level: "tensor"
  readonly params: Tree<ParamSpec>
  // A method, not a function property: a node of known ports must also be a `Node` of any ports.
  apply(params: Tree<tf.Tensor>, inputs: ValuesOf<In>): OutputValues<Out>
  /** Its own laws, loaded when `millrace laws` asks for them. */
  laws?(): Promise<NodeLaws>
}

/** An effect on artifacts. */
export interface StageNode<In extends Ports = Ports, Out extends Outputs = Outputs> extends NodeBase<In, Out> {
  readonly level: "stage"
  run(inputs: ValuesOf<In>): Effect.Effect<OutputValues<Out>, unknown, StageContext>
  /** The text of the `run` that it was defined with. */
  readonly code: string
  /** It reads what may change outside: it runs each time, and what it makes decides whether the stages after it run. */
  readonly volatile: boolean
  /** The data that it reads from outside, file by file, as they are on this machine: nothing is fetched for it. */
  data?(): Effect.Effect<Files, BadData>
  /** What the stage would run on tensors, told without running it: what `millrace profile` measures. */
  outline?(inputs: OutlineInputs): Outline
}

export type Node<In extends Ports = Ports, Out extends Outputs = Outputs> = TensorNode<In, Out> | StageNode<In, Out>

/** A node type: call it with a config to get a node. What the registry holds. */
export interface NodeType<in C, out N extends Node> {
  (config: C): N
  readonly type: string
  readonly version: number
  readonly level: "tensor" | "stage"
  /** A node from untrusted JSON; unknown, missing and mistyped keys are `BadConfig`. */
  readonly decode: (config: unknown, where: string) => Effect.Effect<N, BadConfig>
}

/** Joins `(config) => node` with what a node type says of itself. */
const nodeType = <T, E, N extends Node>(
  about: {
    readonly type: string
    readonly version: number
    readonly level: N["level"]
    readonly config: ConfigSchema<T, E>
  },
  make: (config: T) => N,
): NodeType<E, N> => {
  const name = `${about.type}@${about.version}`
  return Object.assign(
    (config: E) => make(Result.getOrThrowWith(decodeConfig(about.config, config, name), (error) => error)),
    {
      type: about.type,
      version: about.version,
      level: about.level,
      decode: (config: unknown, where: string) =>
        Effect.map(Effect.fromResult(decodeConfig(about.config, config, `${where} > ${name}`)), make),
    },
  )
}

/**
 * A type of tensor nodes.
 *
 *   const bias = defineTensorNode({
 *     type: "bias", version: 1, config: Schema.Struct({ width: Schema.Int }),
 *     ports: ({ width }) => ({ in: { x: tensor("float32", "b d") }, out: tensor("float32", "b d"), sizes: { d: width } }),
 *     params: ({ width }) => ({ bias: { shape: [width], init: zeros } }),
 *     apply: (_, { bias }, { x }) => tf.add(x, bias),
 *   })
 *   bias({ width: 8 })
 *
 * Keys that the schema gives a default may be left out of the config. `params` defaults to none.
 * @throws BadConfig  when called with a config that the schema refuses
 */
export const defineTensorNode = <
  T,
  E,
  const In extends Ports,
  const Out extends Outputs,
  P extends Tree<ParamSpec> = Record<never, never>,
>(definition: {
  readonly type: string
  readonly version: number
  readonly source?: string
  readonly config: ConfigSchema<T, E>
  readonly ports: (config: T) => {
    readonly in: In
    readonly out: Out
    /** Axis sizes that the config fixes. */
    readonly sizes?: Readonly<Record<string, number>>
  }
  readonly params?: (config: T) => P
  readonly apply: (config: T, params: ParamsOf<P>, inputs: ValuesOf<In>) => OutputValues<Out>
  /** Laws that it obeys beyond those of every node; from a module that is imported here, so that a run loads none. */
  readonly laws?: (config: T) => Promise<NodeLaws>
}): NodeType<E, TensorNode<In, Out>> =>
  nodeType({ ...definition, level: "tensor" }, (config: T): TensorNode<In, Out> => {
    const { in: inputs, out, sizes = {} } = definition.ports(config)
    return {
      ...describe(definition),
      level: "tensor",
      config,
      in: inputs,
      out,
      sizes,
      params: definition.params?.(config) ?? {},
      apply: (params, values) => definition.apply(config, params as ParamsOf<P>, values),
      ...(definition.laws === undefined ? {} : { laws: () => definition.laws!(config) }),
    }
  })

/**
 * A type of stage nodes: effects on artifacts, with the run's engine, key and events in their context.
 * @throws BadConfig  when called with a config that the schema refuses
 */
export const defineStageNode = <T, E, const In extends Ports, const Out extends Outputs>(definition: {
  readonly type: string
  readonly version: number
  readonly source?: string
  readonly config: ConfigSchema<T, E>
  readonly ports: { readonly in: In; readonly out: Out }
  readonly run: (config: T, inputs: ValuesOf<In>) => Effect.Effect<OutputValues<Out>, unknown, StageContext>
  /** Sizes of what it makes, and the tensor functions that it calls. */
  readonly outline?: (config: T, inputs: OutlineInputs) => Outline
  /**
   * For a stage whose artifact is a manifest of data from elsewhere: those data, file by file, for who publishes them too. Nothing
   * is fetched for it.
   * @fails BadData  they are not on this machine
   */
  readonly data?: (config: T) => Effect.Effect<Files, BadData>
  /**
   * True for a stage that reads what may change outside, such as a folder of the user's: it runs each time. What any other
   * stage makes depends on its config, its inputs, its key and the engine alone, and is made once.
   */
  readonly volatile?: boolean
}): NodeType<E, StageNode<In, Out>> =>
  nodeType(
    { ...definition, level: "stage" },
    (config: T): StageNode<In, Out> => ({
      ...describe(definition),
      level: "stage",
      config,
      in: definition.ports.in,
      out: definition.ports.out,
      sizes: {},
      run: (inputs) => definition.run(config, inputs),
      code: definition.run.toString(),
      volatile: definition.volatile ?? false,
      ...(definition.data === undefined ? {} : { data: () => definition.data!(config) }),
      ...(definition.outline === undefined
        ? {}
        : { outline: (inputs: OutlineInputs) => definition.outline!(config, inputs) }),
    }),
  )

const describe = ({ type, version, source }: { type: string; version: number; source?: string }) =>
  source === undefined ? { type, version } : { type, version, source }

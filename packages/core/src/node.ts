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
import type { Effect } from "effect"
import type { BadConfig } from "./errors.js"
import type { Init } from "./init.js"
import type { Port, Ports, ValueOf } from "./port.js"
import type { StageContext } from "./run/context.js"
import type { MapTree, Tree } from "./tree.js"

/** How one parameter starts. */
export interface ParamSpec {
  readonly shape: ReadonlyArray<number>
  readonly init: Init
  /** Weight decay applies; by default to every parameter with two axes or more. */
  readonly decay?: boolean
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

interface NodeBase<In extends Ports, Out extends Outputs> {
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
  readonly apply: (params: Tree<tf.Tensor>, inputs: ValuesOf<In>) => OutputValues<Out>
}

/** An effect on artifacts. */
export interface StageNode<In extends Ports = Ports, Out extends Outputs = Outputs> extends NodeBase<In, Out> {
  readonly level: "stage"
  readonly run: (inputs: ValuesOf<In>) => Effect.Effect<OutputValues<Out>, unknown, StageContext>
}

export type Node<In extends Ports = Ports, Out extends Outputs = Outputs> = TensorNode<In, Out> | StageNode<In, Out>

/** A node type: call it with a config to get a node. What the registry holds. */
export interface NodeType<C, N extends Node> {
  (config: C): N
  readonly type: string
  readonly version: number
  readonly level: "tensor" | "stage"
  /** A node from untrusted JSON; unknown, missing and mistyped keys are `BadConfig`. */
  readonly decode: (config: unknown, where: string) => Effect.Effect<N, BadConfig>
}

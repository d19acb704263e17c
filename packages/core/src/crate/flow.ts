/** A graph of stages laid flat: every stage in its place, `outer.inner`, and where each of its inputs is made. */
import { BadConfig } from "../errors.js"
import { type Graph, isGraph, type StageGraph } from "../graph/parts.js"
import { isPort, type StageNode } from "../node.js"
import type { Port, Ports } from "../port.js"

/** What a wire carries: the output of a stage, or an input of the whole graph where `stage` is null. */
export interface Source {
  readonly stage: string | null
  /** `out` where a stage has but one output. */
  readonly port: string
}

export interface FlowStage {
  readonly name: string
  readonly node: StageNode
  readonly inputs: ReadonlyArray<{ readonly port: string; readonly type: Port; readonly from: Source }>
  readonly outputs: ReadonlyArray<{ readonly port: string; readonly type: Port }>
}

export interface Flow {
  /** Each after those that it needs. */
  readonly stages: ReadonlyArray<FlowStage>
  readonly inputs: Ports
  /** The graph's outputs by name. */
  readonly outputs: ReadonlyArray<{ readonly name: string; readonly from: Source }>
}

const isStages = (graph: Graph): graph is StageGraph => graph.level === "stage"

const portsOf = (node: StageNode): FlowStage["outputs"] =>
  isPort(node.out)
    ? [{ port: "out", type: node.out }]
    : Object.entries(node.out).map(([port, type]) => ({ port, type }))

const lay = (graph: Graph, prefix: string, arriving: ReadonlyMap<string, Source>): Omit<Flow, "inputs"> => {
  if (!isStages(graph)) {
    throw new BadConfig({
      where: graph.name,
      expected: "a graph of stages",
      received: `a graph of ${graph.level} nodes`,
      fix: "publish a run of a graph of stages",
    })
  }
  const wires = new Map(arriving)
  const stages: Array<FlowStage> = []
  for (const { name, node, wires: given } of graph.nodes) {
    const stage = prefix + name
    const sources = Object.entries(given).map(([port, wire]) => [port, wires.get(wire)!] as const)
    if (isGraph(node)) {
      const inner = lay(node, `${stage}.`, new Map(sources))
      stages.push(...inner.stages)
      for (const { name: output, from } of inner.outputs) wires.set(isPort(node.out) ? name : `${name}.${output}`, from)
      continue
    }
    if (node.level !== "stage") continue
    const outputs = portsOf(node)
    stages.push({
      name: stage,
      node,
      inputs: sources.map(([port, from]) => ({ port, type: node.in[port]!, from })),
      outputs,
    })
    for (const { port } of outputs) wires.set(isPort(node.out) ? name : `${name}.${port}`, { stage, port })
  }
  return { stages, outputs: Object.entries(graph.outputs).map(([name, wire]) => ({ name, from: wires.get(wire)! })) }
}

/**
 * The flow of a graph.
 * @throws BadConfig  the graph is one of tensors
 */
export const flowOf = (graph: Graph): Flow => ({
  ...lay(graph, "", new Map(Object.keys(graph.inputs).map((name) => [name, { stage: null, port: name }]))),
  inputs: graph.inputs,
})

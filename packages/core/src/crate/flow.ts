/** A graph of stages laid flat: every stage in its place, `outer.inner`, and where each of its inputs is made. */
import { Effect } from "effect"
import type { Graph } from "../graph/parts.js"
import type { StageNode } from "../node.js"
import type { Port, Ports } from "../port.js"
import { outputPorts } from "../run/stageOutputs.js"
import { requireStages, walkStages } from "../run/walkStages.js"

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

/**
 * The flow of a graph.
 * @throws BadConfig  the graph is one of tensors
 */
export const flowOf = (graph: Graph): Flow =>
  Effect.runSync(
    Effect.gen(function* () {
      const stages: Array<FlowStage> = []
      const given = Object.keys(graph.inputs).map((name): [string, Source] => [name, { stage: null, port: name }])
      const made = yield* walkStages(
        yield* requireStages(graph),
        Object.fromEntries(given),
        ({ stage, node, inputs }) =>
          Effect.sync(() => {
            const outputs = outputPorts(node)
            stages.push({
              name: stage,
              node,
              inputs: Object.entries(inputs).map(([port, from]) => ({ port, type: node.in[port]!, from })),
              outputs: outputs.map(([port, type]) => ({ port, type })),
            })
            return Object.fromEntries(outputs.map(([port]): [string, Source] => [port, { stage, port }]))
          }),
      )
      const outputs = Object.entries(made).map(([name, from]) => ({ name, from }))
      return { stages, inputs: graph.inputs, outputs }
    }),
  )

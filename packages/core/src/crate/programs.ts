/** What the stages of a graph compute, as ONNX models without weights. */
import { isFailure, messageOf } from "../errors.js"
import type { Graph } from "../graph/parts.js"
import { lower } from "../onnx/lower.js"
import { withMetadata } from "../onnx/proto.js"
import { outlinesOf } from "../outline.js"
import { captureSync } from "../program/capture.js"
import { optimize } from "../program/passes.js"
import { pathSegment } from "../run/keptPath.js"

export interface StagePrograms {
  readonly programs: ReadonlyArray<{ readonly stage: string; readonly path: string; readonly bytes: Uint8Array }>
  /** Stages whose programs cannot be told before a run, with the reason. */
  readonly without: ReadonlyArray<readonly [stage: string, reason: string]>
}

/**
 * The tensor functions that the outlines of stages name, each captured at its sizes and written in standard operators.
 * Their time is that of capturing, about a second a function; nothing is run and no weights are inside.
 * @param hash  of the graph, for the models' metadata
 */
export const programsOf = (graph: Graph, hash: string): StagePrograms => {
  const programs: Array<StagePrograms["programs"][number]> = []
  const without: Array<readonly [string, string]> = []
  for (const { stage, functions } of outlinesOf(graph)) {
    try {
      for (const [name, subject] of Object.entries(functions())) {
        const program = optimize(captureSync(subject().fn))
        const nodes = [...new Set(program.equations.map(({ path }) => path))].filter((path) => path !== "")
        programs.push({
          stage,
          path: `programs/${pathSegment(stage)}/${pathSegment(name)}.onnx`,
          bytes: withMetadata(lower(program, { portable: true }).bytes, {
            "millrace.graph": hash,
            "millrace.stage": stage,
            "millrace.nodes": nodes.join("\n"),
          }),
        })
      }
    } catch (error) {
      if (!isFailure(error)) throw error
      without.push([stage, messageOf(error).split("\n").slice(0, 2).join(" ")])
    }
  }
  return { programs, without }
}

/** What the stages of a graph call on tensors, as a report tells it: nothing is computed and no weight is made. */
import type { Graph } from "../graph/parts.js"
import { orNothing } from "../orNothing.js"
import { outlinesOf, type Sizes, type StageOutline } from "../outline.js"
import type { Subject } from "../profile/subject.js"
import { captureSync } from "../program/capture.js"
import { flopsOf } from "../program/flops.js"
import type { Program } from "../program/ir.js"
import { type FunctionFacts, graphFacts, type KernelCount } from "./graphFacts.js"

const countKernels = ({ equations }: Program): ReadonlyArray<KernelCount> => {
  const counts = new Map<string, { count: number; flops: number }>()
  for (const equation of equations) {
    const known = counts.get(equation.op) ?? { count: 0, flops: 0 }
    counts.set(equation.op, { count: known.count + 1, flops: known.flops + flopsOf(equation) })
  }
  return [...counts]
    .map(([kernel, { count, flops }]) => ({ kernel, count, flops }))
    .sort((a, b) => b.flops - a.flops || b.count - a.count || (a.kernel < b.kernel ? -1 : 1))
}

export interface FunctionFactsOptions {
  /** Sizes that no outline tells. */
  readonly sizes?: Sizes
  /** Whether there is time to capture one more program; a run that waits for its report has little. */
  readonly mayCapture?: () => boolean
}

/** The functions of every stage that can tell them, by the stage's path. */
export const functionFacts = (
  graph: Graph,
  { sizes = {}, mayCapture = () => true }: FunctionFactsOptions = {},
): ReadonlyMap<string, ReadonlyArray<FunctionFacts>> => {
  const factsOf = (name: string, { fn, objective }: Subject): FunctionFacts => {
    const kernels = mayCapture() ? orNothing(() => countKernels(captureSync(fn))) : undefined
    return {
      name,
      ...(objective?.graph !== undefined && { graph: graphFacts(objective.graph) }),
      ...(kernels !== undefined && { kernels }),
    }
  }
  const ofStage = ({ functions }: StageOutline): ReadonlyArray<FunctionFacts> =>
    Object.entries(orNothing(functions) ?? {}).flatMap(([name, make]) => {
      const subject = orNothing(make)
      return subject === undefined ? [] : [factsOf(name, subject)]
    })
  const stages = orNothing(() => outlinesOf(graph, sizes)) ?? []
  return new Map(stages.map((stage) => [stage.stage, ofStage(stage)] as const).filter(([, told]) => told.length > 0))
}

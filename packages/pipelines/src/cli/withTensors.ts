import { type Graph, type PlannedStage, tensorMemory } from "@millrace/core"

/** A planned stage, with what is counted where nothing was measured. */
export interface CountedStage extends PlannedStage {
  /** Bytes of tensors in its largest call, by its shapes, where it runs and no earlier run measured its memory. */
  readonly tensors?: number
}

/** The plan with the tensors of stages that run and whose memory nobody has measured yet. Others are left as they are. */
export const withTensors = (graph: Graph, plan: ReadonlyArray<PlannedStage>): ReadonlyArray<CountedStage> => {
  const open = new Set(
    plan.flatMap(({ stage, state, memory }) => (state === "cached" || memory !== undefined ? [] : [stage])),
  )
  const counted = tensorMemory(graph, (stage) => open.has(stage))
  return plan.map((planned) => {
    const tensors = counted.get(planned.stage)
    return tensors === undefined ? planned : { ...planned, tensors }
  })
}

/** How much memory the tensors of stages take, told from their outlines: nothing is run and no weight is made. */
import type { Graph } from "../graph/parts.js"
import { orNothing } from "../orNothing.js"
import { outlinesOf, type StageOutline } from "../outline.js"
import { captureSync } from "../program/capture.js"
import { liveness } from "../program/liveness.js"
import { optimize } from "../program/passes.js"
import type { Subject } from "./subject.js"

/** Bytes of state, inputs and what lives of what a call makes. New values of state take the place of the old ones. */
const bytesOfCall = ({ fn }: Subject): number => {
  const program = optimize(captureSync(fn))
  const { held, peak } = liveness({ ...program, outputs: program.outputs.filter(({ slot }) => slot === null) })
  return held + peak
}

/** Nothing where one of its functions cannot be captured: the largest may be that one. */
const bytesOfStage = ({ functions }: StageOutline): number | undefined =>
  orNothing(() => {
    const calls = Object.values(functions()).map((make) => bytesOfCall(make()))
    return calls.length === 0 ? undefined : Math.max(...calls)
  })

/**
 * The bytes of tensors in the largest call of each stage, by its path: weights, optimiser, batch, and what a forward and a
 * backward pass keep. Processes, libraries and data come on top. A stage that runs nothing on tensors, or cannot tell, has none.
 * @param asked  which stages; each takes a fraction of a second for a function
 */
export const tensorMemory = (
  graph: Graph,
  asked: (stage: string) => boolean = () => true,
): ReadonlyMap<string, number> =>
  new Map(
    (orNothing(() => outlinesOf(graph)) ?? []).flatMap((stage) => {
      const bytes = asked(stage.stage) ? bytesOfStage(stage) : undefined
      return bytes === undefined ? [] : [[stage.stage, bytes] as const]
    }),
  )

/** What a long stage goes on from, with the very same bits as if it had never stopped. */
import type { Effect } from "effect"
import type { BadData, DiskFailed } from "../errors.js"
import type { HostTensors } from "../tensor.js"

/**
 * The state of a stage between two of its steps. It holds no random state: draws are functions of the step. It holds no place
 * in the data: that is a function of the step too.
 */
export interface Checkpoint {
  /** Steps that were done. */
  readonly step: number
  /** By group, each a file of its own: `params`, `optimizer`, `average`. */
  readonly tensors: Readonly<Record<string, HostTensors>>
  /** The rest, as plain JSON: counts, rows of a table. It comes back as JSON, for the stage to check. */
  readonly notes: unknown
  /** How good it is, lower being better: beside the newest checkpoints, the best is kept. */
  readonly score?: number
}

/** The checkpoints of one stage. */
export interface Checkpoints {
  /**
   * The newest that is whole and belongs to this stage with this config, these inputs and this engine; of a damaged one a note is
   * told, and the one before it is taken. A stage that asks has steps, and is given time to end one when the run is to stop.
   */
  readonly restore: Effect.Effect<Checkpoint | undefined>
  /**
   * Keeps it, whole or not at all, and lets older ones go.
   * @fails DiskFailed  it could not be written; those before it are as they were
   * @fails BadData     notes that are not JSON
   */
  readonly save: (checkpoint: Checkpoint) => Effect.Effect<void, BadData | DiskFailed>
  /** Whether it is time for the next: by the clock, or because the run is to stop. */
  readonly due: Effect.Effect<boolean>
}

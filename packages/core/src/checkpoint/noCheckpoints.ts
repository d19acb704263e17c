import { Effect } from "effect"
import type { Checkpoints } from "./checkpoint.js"

/** For a stage that runs outside of a run folder: nothing is kept and nothing found. */
export const noCheckpoints: Checkpoints = {
  restore: Effect.succeed(undefined),
  save: () => Effect.void,
  due: Effect.succeed(false),
}

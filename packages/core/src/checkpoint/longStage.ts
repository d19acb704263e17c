/** What a run gives a stage so that it can be long: checkpoints that are due by the clock, and an end at its next step. */
import { Effect } from "effect"
import type { DiskFailed } from "../errors.js"
import { Stopping } from "../stopRequest.js"
import type { Checkpoints } from "./checkpoint.js"
import type { CheckpointFolder } from "./checkpointFolder.js"
import { noCheckpoints } from "./noCheckpoints.js"

export interface Patience {
  /** Seconds from one checkpoint to the next at least, more where saving one takes long; 60 by default. 0 saves one after every step. */
  readonly checkpointSeconds?: number
  /** Seconds that a stage with steps has to end one when the run is to stop; 10 by default. */
  readonly graceSeconds?: number
}

/** A checkpoint takes at most this part of the time between two of them. */
const share = 0.01

export interface LongStage {
  readonly checkpoints: Checkpoints
  readonly stopping: Effect.Effect<boolean>
  /** The step that the stage went on from; undefined where it began. */
  readonly from: () => number | undefined
  /** The stage, interrupted where the run is to stop and it has no steps, or none ends in time. */
  readonly within: <A, E, R>(stage: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Once its outputs are kept. */
  readonly clear: Effect.Effect<void, DiskFailed>
}

/**
 * @param folder  where the checkpoints are; none are kept without
 * @param now     seconds of a monotonic clock. It decides when a checkpoint is saved, and so never what the stage makes
 */
export const longStage = (
  folder: CheckpointFolder | undefined,
  now: () => number,
  { checkpointSeconds = 60, graceSeconds = 10 }: Patience,
): Effect.Effect<LongStage> =>
  Effect.map(Stopping, ({ asked, wait }) => {
    let hasSteps = false
    let from: number | undefined
    let last = now()
    let pause = checkpointSeconds
    const rest = Effect.sync(() => {
      last = now()
    })
    const { restore, save } = folder ?? noCheckpoints
    const checkpoints: Checkpoints = {
      restore: Effect.suspend(() => {
        hasSteps = true
        return Effect.tap(restore, (found) =>
          Effect.sync(() => {
            from = found?.step
          }),
        )
      }).pipe(Effect.ensuring(rest)),
      save: (checkpoint) =>
        Effect.suspend(() => {
          const start = now()
          const slow = Effect.sync(() => {
            pause = checkpointSeconds === 0 ? 0 : Math.max(checkpointSeconds, (now() - start) / share)
          })
          return save(checkpoint).pipe(Effect.ensuring(slow), Effect.ensuring(rest))
        }),
      due: Effect.sync(() => folder !== undefined && (asked() || now() - last >= pause)),
    }
    const tooLate = Effect.andThen(
      wait,
      Effect.suspend(() => (hasSteps ? Effect.sleep(graceSeconds * 1000) : Effect.void)),
    )
    return {
      checkpoints,
      stopping: Effect.sync(asked),
      from: () => from,
      within: (stage) => Effect.raceFirst(stage, Effect.andThen(tooLate, Effect.interrupt)),
      clear: folder?.clear ?? Effect.void,
    }
  })

import { Effect } from "effect"
import { Stage } from "../run/context.js"
import type { Checkpoint } from "./checkpoint.js"

/**
 * What a long stage does between two steps: it saves a checkpoint where one is due, and ends, interrupted, where the run was asked
 * to stop. A checkpoint that cannot be saved is told in a note and ends nothing: what it would keep is still in memory, and the
 * one before it is on the disk.
 * @param present  reads the state of the stage; asked for only where a checkpoint is due
 */
export const betweenSteps = <E, R>(present: Effect.Effect<Checkpoint, E, R>): Effect.Effect<void, E, R | Stage> =>
  Effect.gen(function* () {
    const { checkpoints, emit, stopping } = yield* Stage
    if (yield* checkpoints.due) {
      const checkpoint = yield* present
      yield* checkpoints.save(checkpoint).pipe(
        Effect.uninterruptible,
        Effect.catchTags({
          BadData: (error) => Effect.die(error),
          DiskFailed: ({ where, received, fix }) =>
            emit({
              type: "stage.note",
              text: `no checkpoint after step ${checkpoint.step}: ${received} (${where}); the one before it is whole. ${fix}`,
            }),
        }),
      )
    }
    if (yield* stopping) return yield* Effect.interrupt
  })

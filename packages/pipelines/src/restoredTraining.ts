/** The state of a training as a checkpoint, and back. */
import { type Checkpoint, type HostTensors, learningState, type Specs, Stage, showSpec } from "@millrace/core"
import { Effect, Result, Schema } from "effect"
import type { TrainerState, Training } from "./trainer.js"

export interface RestoredTraining {
  /** Steps of the stage that were done. */
  readonly step: number
  readonly state: TrainerState
  /** What the stage gathered beside. */
  readonly gathered: unknown
}

const Notes = Schema.Struct({ done: Schema.Int, refused: Schema.Int, gathered: Schema.Unknown })

/** @param score  lower being better  @param gathered  JSON */
export const trainingCheckpoint = (
  step: number,
  { tensors, done, refused }: TrainerState,
  score: number,
  gathered: unknown = null,
): Checkpoint => ({ step, tensors, notes: { done, refused, gathered }, score })

/** Whether tensors have just these names and types. */
const areOf = (tensors: HostTensors | undefined, specs: Specs): boolean => {
  const [found, expected] = [tensors ?? {}, specs].map((named) =>
    Object.entries(named)
      .map(([name, type]) => `${name} ${showSpec(type)}`)
      .sort()
      .join("\n"),
  )
  return found === expected
}

/**
 * Where the stage goes on, if it was begun before. A checkpoint whose tensors are not those of the objective, because its model
 * was changed since, is told in a note and not used.
 */
export const restoredTraining = ({
  objective,
  config,
}: Pick<Training, "objective" | "config">): Effect.Effect<RestoredTraining | undefined, never, Stage> =>
  Effect.gen(function* () {
    const { checkpoints, emit } = yield* Stage
    const found = yield* checkpoints.restore
    if (found === undefined) return undefined
    const { step, tensors } = found
    const notes = Schema.decodeUnknownResult(Notes)(found.notes)
    const specs = Object.entries(learningState(objective, config))
    if (Result.isFailure(notes) || !specs.every(([slot, types]) => areOf(tensors[slot], types))) {
      yield* emit({
        type: "stage.note",
        text: `the checkpoint after step ${step} is of another model: the stage starts over`,
      })
      return undefined
    }
    const { done, refused, gathered } = notes.success
    return { step, state: { tensors, done, refused }, gathered: gathered ?? undefined }
  })

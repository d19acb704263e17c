/** Where PPO goes on, if it was begun before. */
import { Stage } from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import { Effect, Option, Schema } from "effect"
import type { Passages } from "../../artifacts/passages.js"
import { restoredTraining } from "../../restoredTraining.js"
import type { TrainerState } from "../../trainer.js"
import type { PpoConfig } from "./config.js"
import { updateTraining } from "./functions.js"
import { type Report, rowWidth } from "./learner.js"

export interface RestoredPpo {
  /** Iterations that were done. */
  readonly step: number
  readonly state: TrainerState
  /** The coefficient of the KL of the next iteration, reward a nat. */
  readonly beta: number
  readonly history: ReadonlyArray<Report>
}

// As JSON, which has no NaN: a KL may be one.
const Gathered = Schema.toCodecJson(
  Schema.Struct({
    beta: Schema.Number,
    history: Schema.Array(
      Schema.Struct({
        reward: Schema.Number,
        gold: Schema.Number,
        kl: Schema.Number,
        beta: Schema.Number,
        length: Schema.Number,
      }),
    ),
  }),
)

/** What a checkpoint holds beside the state of the trainer. */
export const gatheredPpo = (beta: number, history: ReadonlyArray<Report>): unknown =>
  Schema.encodeSync(Gathered)({ beta, history })

export const restoredPpo = (
  model: GptConfig,
  config: PpoConfig,
  passages: Passages,
): Effect.Effect<RestoredPpo | undefined, never, Stage> =>
  Effect.gen(function* () {
    const before = yield* restoredTraining(updateTraining(model, config, rowWidth(passages)))
    if (before === undefined) return undefined
    const { step, state, gathered } = before
    const found = Schema.decodeUnknownOption(Gathered)(gathered)
    if (Option.isSome(found)) return { step, state, ...found.value }
    const { emit } = yield* Stage
    yield* emit({
      type: "stage.note",
      text: "what the checkpoint says of the iterations is not to be read: it starts over",
    })
    return undefined
  })

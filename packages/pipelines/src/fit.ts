/** Training as a stage: any objective, any stream of batches, steps told as they happen. */
import {
  type BadConfig,
  type CompileError,
  type Engine,
  type EngineError,
  encodeSafetensors,
  type HostTensors,
  NotFinite,
  Stage,
} from "@millrace/core"
import { Effect } from "effect"
import { makeTrainer, type Trainer, type TrainerOptions } from "./trainer.js"

export interface FitOptions extends TrainerOptions {
  readonly initial: HostTensors
  /** The inputs of a step: a function of the step alone, so that a run can be repeated. */
  readonly batch: (step: number) => HostTensors
  /** Work a step, for the rate that is shown. */
  readonly amount: number
  readonly unit: string
}

/** Keeps the parameters in the run folder when a step was refused because it was not finite. */
export const keepLastGood = <A, R>(
  trainer: Trainer,
  steps: Effect.Effect<A, NotFinite | EngineError, R>,
): Effect.Effect<A, NotFinite | EngineError, R | Stage> =>
  Effect.catch(
    steps,
    (error): Effect.Effect<never, NotFinite | EngineError, Stage> =>
      error instanceof NotFinite
        ? Effect.gen(function* () {
            const { name, keep } = yield* Stage
            yield* keep("last-good", { "model.safetensors": encodeSafetensors(yield* trainer.params.read()) })
            const fix = `${error.fix}; the weights before it are kept as artifacts/${name}/last-good/model.safetensors`
            return yield* new NotFinite({ ...error, where: `${name} > ${error.where}`, fix })
          })
        : Effect.fail(error),
  )

/**
 * Trains for all steps of the config. Returns every parameter of the objective: the frozen ones unchanged, and where the
 * config asks for an average, the average of the others.
 */
export const fit = (
  options: FitOptions,
): Effect.Effect<HostTensors, BadConfig | CompileError | EngineError | NotFinite, Engine | Stage> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const { config, initial, batch, amount, unit } = options
      const trainer = yield* makeTrainer(options)
      const steps = Effect.gen(function* () {
        for (let index = 0; index < config.steps; index++) {
          const values = yield* trainer.step(batch(index))
          yield* emit({ type: "stage.step", step: index + 1, steps: config.steps, values, amount, unit })
        }
      })
      yield* keepLastGood(trainer, steps)
      return { ...initial, ...(yield* trainer.weights) }
    }),
  )

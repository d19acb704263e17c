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
import { Effect, Fiber } from "effect"
import { makeTrainer, type Trainer, type TrainerOptions } from "./trainer.js"

export interface FitOptions<E = never, R = never> extends TrainerOptions {
  readonly initial: HostTensors
  /** The inputs of a step: a function of the step alone, so that a run can be repeated. They are made while the step before it runs. */
  readonly batch: (step: number) => Effect.Effect<HostTensors, E, R>
  /** Work a step, for the rate that is shown. */
  readonly amount: number
  readonly unit: string
  /** What is looked at on the way: before the first step, after every so many, and after the last. */
  readonly watch?: {
    readonly every: number
    readonly look: (step: number, trainer: Trainer) => Effect.Effect<void, E, R>
  }
}

/** Keeps the parameters in the run folder when a step was refused because it was not finite. */
export const keepLastGood = <A, E, R>(
  trainer: Trainer,
  steps: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | NotFinite | EngineError, R | Stage> =>
  Effect.catch(
    steps,
    (error): Effect.Effect<never, E | NotFinite | EngineError, Stage> =>
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
export const fit = <E = never, R = never>(
  options: FitOptions<E, R>,
): Effect.Effect<HostTensors, BadConfig | CompileError | EngineError | NotFinite | E, Engine | Stage | R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const { config, initial, batch, amount, unit, watch } = options
      const trainer = yield* makeTrainer(options)
      const look = (step: number): Effect.Effect<void, E, R> =>
        watch !== undefined && (step % watch.every === 0 || step === config.steps)
          ? watch.look(step, trainer)
          : Effect.void
      const steps = Effect.gen(function* () {
        yield* look(0)
        if (config.steps === 0) return
        let coming = yield* Effect.forkChild(batch(0))
        for (let index = 0; index < config.steps; index++) {
          const inputs = yield* Fiber.join(coming)
          if (index + 1 < config.steps) coming = yield* Effect.forkChild(batch(index + 1))
          const values = yield* trainer.step(inputs)
          yield* emit({ type: "stage.step", step: index + 1, steps: config.steps, values, amount, unit })
          yield* look(index + 1)
        }
      })
      yield* keepLastGood(trainer, steps)
      return { ...initial, ...(yield* trainer.weights) }
    }),
  )

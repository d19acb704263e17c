/** Training as a stage: any objective, any stream of batches, steps told as they happen. */
import {
  type BadConfig,
  betweenSteps,
  type CompileError,
  type Engine,
  type EngineError,
  encodeSafetensors,
  type HostTensors,
  NotFinite,
  Stage,
} from "@millrace/core"
import { Effect, Fiber } from "effect"
import { restoredTraining, trainingCheckpoint } from "./restoredTraining.js"
import { makeTrainer, type Trainer, type TrainerOptions } from "./trainer.js"

export interface FitOptions<E = never, R = never> extends Omit<TrainerOptions, "from"> {
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
    /** What the looks gather, as JSON: it goes into checkpoints, and is what a fit that goes on begins with (else undefined). */
    readonly gathered?: { readonly read: () => unknown; readonly write: (gathered: unknown) => void }
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
 *
 * A fit that was stopped or killed goes on from its last checkpoint, and ends with the bits of one that was not: a step is a
 * function of the state and of its number. What was watched before is not looked at again.
 */
export const fit = <E = never, R = never>(
  options: FitOptions<E, R>,
): Effect.Effect<HostTensors, BadConfig | CompileError | EngineError | NotFinite | E, Engine | Stage | R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const { config, initial, batch, amount, unit, watch } = options
      const before = yield* restoredTraining(options)
      watch?.gathered?.write(before?.gathered)
      const trainer = yield* makeTrainer({ ...options, ...(before !== undefined && { from: before.state }) })
      const first = before?.step ?? 0
      const look = (step: number): Effect.Effect<void, E, R> =>
        watch !== undefined && (step % watch.every === 0 || step === config.steps)
          ? watch.look(step, trainer)
          : Effect.void
      const steps = Effect.gen(function* () {
        if (first === 0) yield* look(0)
        if (first === config.steps) return
        const losses = meanLoss()
        let coming = yield* Effect.forkChild(batch(first))
        for (let index = first; index < config.steps; index++) {
          const inputs = yield* Fiber.join(coming)
          if (index + 1 < config.steps) coming = yield* Effect.forkChild(batch(index + 1))
          const values = yield* trainer.step(inputs)
          losses.add(values.loss)
          yield* emit({ type: "stage.step", step: index + 1, steps: config.steps, values, amount, unit })
          yield* look(index + 1)
          yield* betweenSteps(
            Effect.map(trainer.state, (state) =>
              trainingCheckpoint(index + 1, state, losses.take(), watch?.gathered?.read()),
            ),
          )
        }
      })
      yield* keepLastGood(trainer, steps)
      return { ...initial, ...(yield* trainer.weights) }
    }),
  )

/** The mean loss of the steps since it was last asked for: by it the best checkpoint is told, less noisy than one step's loss. */
const meanLoss = () => {
  let sum = 0
  let count = 0
  return {
    add: (loss: number | undefined): void => {
      sum += loss ?? Number.NaN
      count++
    },
    take: (): number => {
      const mean = sum / count
      sum = 0
      count = 0
      return mean
    },
  }
}

/** Training: any objective, any stream of batches, one program a step. */
import {
  AdamW,
  type CompileError,
  Engine,
  type EngineError,
  encodeSafetensors,
  frozenNames,
  type HostTensors,
  initOptimizer,
  NotFinite,
  type Objective,
  Schedule,
  type Specs,
  Stage,
  type State,
  slots,
  trainStep,
} from "@millrace/core"
import { Effect, Schema, type Scope } from "effect"

/** How a stage trains. */
export const FitConfig = Schema.Struct({
  steps: Schema.Int,
  schedule: Schedule,
  optimizer: AdamW,
  /** The largest global norm of the gradients. */
  clip: Schema.Number,
})
export type FitConfig = typeof FitConfig.Type

export interface FitOptions {
  readonly objective: Objective
  readonly inputs: Specs
  /** Every parameter of the objective by its flat name. */
  readonly initial: HostTensors
  readonly config: FitConfig
  /** The inputs of a step: a function of the step alone, so that a run can be repeated. */
  readonly batch: (step: number) => HostTensors
  /** Work a step, for the rate that is shown. */
  readonly amount: number
  readonly unit: string
}

const pick = (tensors: HostTensors, names: ReadonlyArray<string>): HostTensors =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]))

/** A training step ready to run, with its state in the engine. */
export interface Trainer {
  readonly params: State
  /**
   * One step. Fails with NotFinite, the parameters being those before the step, when its loss or a gradient is not
   * a finite number; they are kept in the run folder under `last-good`.
   * @returns the scalars that the objective reports, by name
   */
  readonly step: (
    index: number,
    batch: HostTensors,
  ) => Effect.Effect<Readonly<Record<string, number>>, NotFinite | EngineError>
}

/** A trainer for an objective. It lives as long as the scope. */
export const makeTrainer = (options: {
  readonly objective: Objective
  readonly inputs: Specs
  readonly initial: HostTensors
  readonly config: FitConfig
  readonly rates?: Readonly<Record<string, number>>
}): Effect.Effect<Trainer, CompileError | EngineError, Engine | Stage | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { name, keep } = yield* Stage
    const { objective, inputs, initial, config, rates } = options
    const params = yield* engine.allocate(pick(initial, objective.trainable))
    const frozen = yield* engine.allocate(pick(initial, frozenNames(objective)))
    const optimizer = yield* engine.allocate(initOptimizer(objective))
    const executable = yield* engine.compile(
      trainStep(objective, { inputs, ...config, ...(rates === undefined ? {} : { rates }) }),
    )
    const state = { [slots.params]: params, [slots.frozen]: frozen, [slots.optimizer]: optimizer }
    const step: Trainer["step"] = (index, batch) =>
      Effect.gen(function* () {
        const outputs = yield* executable.run({ state, inputs: batch })
        const values: Record<string, number> = {}
        for (const [output, { shape, data }] of Object.entries(outputs)) {
          if (shape.length === 0 && output !== "finite") values[output] = data[0]!
        }
        if (outputs.finite?.data[0] === 0) {
          yield* keep("last-good", { "model.safetensors": encodeSafetensors(yield* params.read()) })
          return yield* new NotFinite({
            where: `${name} > ${objective.name} > step ${index + 1}`,
            expected: "a finite loss and finite gradients",
            received: `loss ${values.loss}, gradient norm ${values.gradientNorm}`,
            fix: `lower the learning rate; the weights after step ${index} are kept as last-good/model.safetensors`,
          })
        }
        return values
      })
    return { params, step }
  })

/** Trains for all steps of the config. Returns every parameter of the objective, the frozen ones unchanged. */
export const fit = (
  options: FitOptions,
): Effect.Effect<HostTensors, CompileError | EngineError | NotFinite, Engine | Stage> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const { config, initial, batch, amount, unit } = options
      const trainer = yield* makeTrainer(options)
      for (let index = 0; index < config.steps; index++) {
        const values = yield* trainer.step(index, batch(index))
        yield* emit({ type: "stage.step", step: index + 1, steps: config.steps, values, amount, unit })
      }
      return { ...initial, ...(yield* trainer.params.read()) }
    }),
  )

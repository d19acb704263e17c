/** Training steps run one by one, with all of the state after each. */
import {
  Engine,
  Engines,
  frozenNames,
  type HostTensors,
  initOptimizer,
  type Objective,
  slots,
  type TrainStepConfig,
  trainStep,
} from "@millrace/core"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll } from "vitest"

export interface Trained {
  readonly outputs: HostTensors
  readonly params: HostTensors
  readonly frozen: HostTensors
  readonly optimizer: HostTensors
}

const pick = (tensors: HostTensors, names: ReadonlyArray<string>): HostTensors =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]))

/** A compiled step; each call starts anew and returns what every step left. */
export const stepper = (objective: Objective, config: TrainStepConfig) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const executable = yield* engine.compile(trainStep(objective, config))
    return (initial: HostTensors, batches: ReadonlyArray<HostTensors>) =>
      Effect.scoped(
        Effect.gen(function* () {
          const params = yield* engine.allocate(pick(initial, objective.trainable))
          const frozen = yield* engine.allocate(pick(initial, frozenNames(objective)))
          const optimizer = yield* engine.allocate(initOptimizer(objective))
          const state = { [slots.params]: params, [slots.frozen]: frozen, [slots.optimizer]: optimizer }
          const left: Array<Trained> = []
          for (const inputs of batches) {
            const outputs = yield* executable.run({ state, inputs })
            left.push({
              outputs,
              params: yield* params.read(),
              frozen: yield* frozen.read(),
              optimizer: yield* optimizer.read(),
            })
          }
          return left
        }),
      )
  })

export type Run = Effect.Success<ReturnType<typeof stepper>>

/** Runs effects on one engine for a whole test file. */
export const runner = (engine: string) => {
  const runtime = ManagedRuntime.make(Engines.layer(engine, { threads: 1 }))
  afterAll(() => runtime.dispose())
  return <A, E>(work: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
    runtime.runPromise(Effect.scoped(work) as Effect.Effect<A, E, Engine>)
}

/** The largest difference of two tensors, as a fraction of the largest entry of the second. */
export const distance = (got: ArrayLike<number>, wanted: ArrayLike<number>): number => {
  let [worst, scale] = [0, 0]
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs(got[i]! - wanted[i]!))
    scale = Math.max(scale, Math.abs(wanted[i]!))
    if (!Number.isFinite(got[i])) return Number.POSITIVE_INFINITY
  }
  return got.length === wanted.length ? worst / Math.max(scale, Number.MIN_VALUE) : Number.POSITIVE_INFINITY
}

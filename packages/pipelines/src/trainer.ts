/** Training: any objective, one program a step, its state in the engine. */
import {
  AdamW,
  Average,
  attempt,
  averagedWeights,
  BadConfig,
  type CompileError,
  Engine,
  type EngineError,
  frozenNames,
  type HostTensors,
  initOptimizer,
  isEmptyAverage,
  NotFinite,
  type Objective,
  pickTensors,
  Schedule,
  type Specs,
  type State,
  type Subject,
  slots,
  type TensorSource,
  tensorSource,
  trainingSubject,
  trainStep,
} from "@millrace/core"
import { Effect, Schema, type Scope } from "effect"
import { type Parts, partedStep } from "./partedStep.js"
import { CountOrZero, Positive } from "./ranges.js"

/** How an objective is trained. */
export const FitConfig = Schema.Struct({
  steps: CountOrZero,
  schedule: Schedule,
  optimizer: AdamW,
  /** The largest global norm of the gradients. */
  clip: Positive,
  /** Where given, the average of the weights over the steps is what training gives in place of the last ones. */
  average: Schema.optionalKey(Average),
})
export type FitConfig = typeof FitConfig.Type

/** What is trained, and how. */
export interface Training {
  readonly objective: Objective
  readonly inputs: Specs
  readonly config: FitConfig
  /** Multiplies the learning rate of the parameters whose name starts so. */
  readonly rates?: Readonly<Record<string, number>>
  /** Takes each step in parts, in memory for one of them. Its halves have the parameters of the objective. */
  readonly parts?: Parts
}

/** What a trainer has learnt and counted: one that is made from it takes the same steps, to the bit. */
export interface TrainerState {
  /** By slot: `params`, `optimizer`, and `average` where one is kept. What is frozen is not here. */
  readonly tensors: Readonly<Record<string, HostTensors>>
  /** Steps that were taken, and how many of them were refused because they were not finite. */
  readonly done: number
  readonly refused: number
}

export interface TrainerOptions<E = never> extends Training {
  /** Every parameter of the objective by its flat name. */
  readonly initial: HostTensors | TensorSource<E>
  /** Goes on from here; of `initial` it then needs what is frozen. */
  readonly from?: TrainerState
}

const trainStepOf = ({ objective, inputs, config, rates }: Training) =>
  [objective, { inputs, ...config, ...(rates === undefined ? {} : { rates }) }] as const

/** The training step, to be measured. */
export const trainingOf = (training: Training): Subject => trainingSubject(...trainStepOf(training))

/** A training step ready to run. */
export interface Trainer {
  /** The parameters that learn, in the engine: a sampler may use them while they do. */
  readonly params: State
  /** What training has given so far: the average of the parameters that learn, where one is kept and has begun, or they themselves. */
  readonly weights: Effect.Effect<HostTensors, EngineError>
  /**
   * The next step.
   * @returns the scalars that the objective reports, by name
   * @fails   NotFinite  the loss, a gradient or a new parameter is not a finite number; the parameters stay those before the step
   */
  readonly step: (batch: HostTensors) => Effect.Effect<Readonly<Record<string, number>>, NotFinite | EngineError>
  /** Between two steps: what another trainer goes on from. */
  readonly state: Effect.Effect<TrainerState, EngineError>
}

const requireParameters = ({ name, paramSpecs }: Objective, initial: Specs): Effect.Effect<void, BadConfig> => {
  const missing = Object.keys(paramSpecs).filter((param) => initial[param] === undefined)
  return missing.length === 0
    ? Effect.void
    : new BadConfig({
        where: name,
        expected: `a first value for every parameter, ${missing.slice(0, 3).join(", ")} among them`,
        received: `${Object.keys(initial).length} parameters, ${missing.length} missing`,
        fix: "start from initParams(objective.paramSpecs, key), with the weights that you have spread over it",
      })
}

/** Apart from `makeTrainer`: what lives as long as the trainer must not keep the first values of its parameters alive. */
const runnerOf = (
  name: string,
  call: (batch: HostTensors) => Effect.Effect<HostTensors, EngineError>,
  state: Readonly<Record<string, State>> & { readonly params: State },
  average: Average | undefined,
  counted: Pick<TrainerState, "done" | "refused">,
): Trainer => {
  let { done, refused } = counted
  const { [slots.average]: kept, params } = state
  const weights =
    average === undefined || kept === undefined
      ? params.read()
      : Effect.suspend(() => {
          const steps = done - refused
          return isEmptyAverage(average, steps)
            ? params.read()
            : Effect.map(kept.read(), (sum) => averagedWeights(average, sum, steps))
        })
  const step: Trainer["step"] = (batch) =>
    Effect.gen(function* () {
      const outputs = yield* call(batch)
      const values: Record<string, number> = {}
      for (const [output, { shape, data }] of Object.entries(outputs)) {
        if (shape.length === 0 && output !== "finite") values[output] = data[0]!
      }
      done++
      if (outputs.finite?.data[0] === 0) {
        refused++
        return yield* new NotFinite({
          where: `${name} > step ${done}`,
          expected: "a finite loss, finite gradients and finite parameters after the step",
          received: `loss ${values.loss}, gradient norm ${values.gradientNorm}, learning rate ${values.learningRate}`,
          fix: "lower the learning rate",
        })
      }
      return values
    })
  const { [slots.frozen]: _, ...learnt } = state
  const present = Effect.gen(function* () {
    const tensors: Record<string, HostTensors> = {}
    for (const [slot, values] of Object.entries(learnt)) tensors[slot] = yield* values.read()
    return { tensors, done, refused }
  })
  return { params, weights, step, state: present }
}

/** The whole batch in one program. */
const wholeStep = (step: ReturnType<typeof trainStepOf>, state: Readonly<Record<string, State>>) =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(yield* attempt(BadConfig, () => trainStep(...step)))
    return (inputs: HostTensors) => run({ state, inputs })
  })

/** What an average begins with: read piece by piece where it is the weights. */
const averageSource = <E>(average: Average, learning: TensorSource<E>): TensorSource<E> =>
  average.start === "weights"
    ? learning
    : { ...learning, piece: (_, begin, end) => Effect.succeed(new Float32Array(end - begin)) }

/**
 * A trainer for an objective. It lives as long as the scope.
 * @fails  BadConfig  nothing in the objective learns, or `initial` lacks a parameter
 */
export const makeTrainer = <E = never>(
  options: TrainerOptions<E>,
): Effect.Effect<Trainer, BadConfig | CompileError | EngineError | E, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { objective, from = { tensors: {}, done: 0, refused: 0 } } = options
    const initial = tensorSource(options.initial)
    yield* requireParameters(objective, initial.specs)
    const learning = pickTensors(initial, objective.trainable)
    const begin = (slot: string, first: () => HostTensors | TensorSource<E>) =>
      engine.allocate<E>(from.tensors[slot] ?? first())
    const params = yield* begin(slots.params, () => learning)
    const frozen = yield* engine.allocate(pickTensors(initial, frozenNames(objective)))
    const optimizer = yield* begin(slots.optimizer, () => initOptimizer(objective))
    const { average } = options.config
    const kept =
      average === undefined
        ? {}
        : { [slots.average]: yield* begin(slots.average, () => averageSource(average, learning)) }
    const state = { [slots.params]: params, [slots.frozen]: frozen, [slots.optimizer]: optimizer, ...kept }
    const { parts, inputs, config, rates } = options
    const call =
      parts === undefined
        ? yield* wholeStep(trainStepOf(options), state)
        : (yield* partedStep(parts, inputs, { ...config, ...(rates === undefined ? {} : { rates }) }, state)).run
    return runnerOf(objective.name, call, state, average, { done: from.done, refused: from.refused })
  })

/** A training step in parts: gradient caching, one program called after the other. */
import {
  attempt,
  BadConfig,
  type CompileError,
  cachedTrainStep,
  Engine,
  type EngineError,
  float32,
  type HostTensor,
  type HostTensors,
  initGradients,
  learnerOf,
  type PartedObjective,
  type Specs,
  type State,
  slots,
  spec,
  type UpdateConfig,
} from "@millrace/core"
import { Effect, type Scope } from "effect"

/** How a step is taken apart. */
export interface Parts {
  readonly objective: PartedObjective
  /** Examples of a part; it divides the batch. */
  readonly size: number
  /** Types of the features of the whole batch. */
  readonly features: Specs
}

/** Rows of a tensor, without a copy. */
const rows = ({ dtype, shape, data }: HostTensor, from: number, count: number): HostTensor => {
  const width = data.length / shape[0]!
  return { dtype, shape: [count, ...shape.slice(1)], data: data.subarray(from * width, (from + count) * width) }
}

const rowsOf = (tensors: HostTensors, from: number, count: number): HostTensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, rows(tensor, from, count)]))

const checkParts = (inputs: Specs, { objective, size }: Parts): Effect.Effect<number, BadConfig> => {
  const batch = Object.values(inputs)[0]?.shape[0] ?? 0
  return batch > 0 && batch % size === 0
    ? Effect.succeed(batch)
    : new BadConfig({
        where: `${objective.encode.name} > parts`,
        expected: `a part whose size divides the batch of ${batch}`,
        received: `${size} examples`,
        fix: "give the batch a size that is so many times the part's",
      })
}

/** A step that is called in parts. */
export interface PartedStep {
  /** The outputs of a training step. */
  readonly run: (batch: HostTensors) => Effect.Effect<HostTensors, EngineError>
  /** Of what learns, summed over the parts of the step before. */
  readonly gradients: State
}

/**
 * The step of a trainer. Its memory is that of one part, and of the features of the batch.
 * @param state  of the trainer, by slot
 */
export const partedStep = (
  parts: Parts,
  inputs: Specs,
  config: UpdateConfig,
  state: Readonly<Record<string, State>>,
): Effect.Effect<PartedStep, BadConfig | CompileError | EngineError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const { allocate, compile } = yield* Engine
    const { objective, size, features } = parts
    const batch = yield* checkParts(inputs, parts)
    const part = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, spec(dtype, [size, ...shape.slice(1)])]),
    )
    const programs = yield* attempt(BadConfig, () => cachedTrainStep(objective, { ...config, part, features }))
    const learner = learnerOf(objective)
    const gradients = yield* allocate(initGradients(learner))
    const encode = yield* compile(programs.encode)
    const compare = yield* compile(programs.compare)
    const backward = yield* compile(programs.backward)
    const update = yield* compile(programs.update)
    const { [slots.frozen]: frozen, ...learning } = state
    const model = { [slots.params]: state[slots.params]!, [slots.frozen]: frozen! }
    const differentiated = { ...model, [slots.gradients]: gradients }
    const starts = Array.from({ length: batch / size }, (_, i) => i * size)
    const run = (given: HostTensors): Effect.Effect<HostTensors, EngineError> =>
      Effect.gen(function* () {
        const whole = Object.fromEntries(
          Object.entries(features).map(([name, { shape }]) => [
            name,
            float32(shape, new Float32Array(shape.reduce((n, d) => n * d, 1))),
          ]),
        )
        for (const from of starts) {
          const encoded = yield* encode.run({ state: model, inputs: rowsOf(given, from, size) })
          for (const [name, { data }] of Object.entries(encoded)) {
            whole[name]!.data.set(data, (from / size) * data.length)
          }
        }
        const compared = yield* compare.run({ state: differentiated, inputs: whole })
        const isSlope = (name: string): boolean => name.startsWith("slope.")
        const entries = Object.entries(compared)
        const slopes = Object.fromEntries(entries.filter(([name]) => isSlope(name)))
        const reported = Object.fromEntries(entries.filter(([name]) => !isSlope(name)))
        for (const from of starts) {
          yield* backward.run({
            state: differentiated,
            inputs: {
              ...rowsOf(given, from, size),
              ...rowsOf(slopes, from, size),
              keep: float32([], [from === 0 ? 0 : 1]),
            },
          })
        }
        const updated = yield* update.run({
          state: { ...learning, [slots.gradients]: gradients },
          inputs: { loss: reported.loss! },
        })
        // 0 times what is not finite would not be 0.
        if (updated.finite?.data[0] === 0) yield* gradients.write(initGradients(learner))
        return { ...reported, ...updated }
      })
    return { run, gradients }
  })

/**
 * A training step whose loss compares all examples of a batch, in memory for a part of it: gradient caching.
 *
 *   each part ─encode─► features ─compare─► loss, its slope by every feature ─┐
 *   each part ───────────────────────backward───────────────────────────────◄┘─► gradients, summed ─update─► parameters
 *
 * The parts are encoded twice. These are programs of their own, called one after the other, so that no memory of one part
 * is left when the next one begins: one program of all parts would be free to keep what it will need again.
 * Source   Gao et al. 2021, section 3.2.
 */
import * as tf from "@tensorflow/tfjs-core"
import type { TensorFunction, Tensors } from "../engine.js"
import { BadConfig } from "../errors.js"
import type { Objective } from "../objective.js"
import { float32, type HostTensors, type Specs, sizeOf, spec } from "../tensor.js"
import { applyGradients, type Learner, learningState, paramsOf, slots, type UpdateConfig } from "./applyGradients.js"
import { lossGradients } from "./lossGradients.js"

/**
 * An objective in two halves. The gradients are the whole batch's as long as `encode` treats examples one by one; with a
 * norm over the batch they are those of a network that norms each part by itself.
 */
export interface PartedObjective {
  /** Of a part of the batch: features, float32, an example a row. */
  readonly encode: Objective
  /** Of the features of all examples, which it takes by the names that `encode` gives them: `loss`, and what is reported. */
  readonly compare: Objective
}

export interface CachedTrainStepConfig extends UpdateConfig {
  /** Types of a part of the batch. */
  readonly part: Specs
  /** Types of the features of the whole batch. */
  readonly features: Specs
}

/** The programs of a step, in the order in which they are called. */
export interface CachedTrainStep {
  /** Inputs of a part -> its features. */
  readonly encode: TensorFunction
  /** All features -> the loss, what is reported, and `slope.name` of every feature; its own gradients into the state. */
  readonly compare: TensorFunction
  /**
   * Inputs of a part with `slope.name` of its features -> its gradients, added to those in the state times `keep`: 0 for the
   * first part, 1 for all others.
   */
  readonly backward: TensorFunction
  /** `loss` -> `gradientNorm`, `learningRate`, `finite`; a step of the optimiser that is refused where not all is finite. */
  readonly update: TensorFunction
}

/** What both halves need, and what of it learns. */
export const learnerOf = ({ encode, compare }: PartedObjective): Learner => ({
  paramSpecs: { ...encode.paramSpecs, ...compare.paramSpecs },
  trainable: [...new Set([...encode.trainable, ...compare.trainable])],
})

/** Zeros for the slot `gradients`: what it begins with, and what it is set to after a step that was not finite. */
export const initGradients = ({ paramSpecs, trainable }: Learner): HostTensors =>
  Object.fromEntries(
    trainable.map((name) => {
      const { shape } = paramSpecs[name]!
      return [name, float32(shape, new Float32Array(sizeOf(shape)))]
    }),
  )

const slopeOf = (feature: string): string => `slope.${feature}`

/**
 * A step of training in parts.
 * @law  any parts give the step of `trainStep` over the whole batch
 * @throws BadConfig  nothing learns; a parameter that both halves have
 */
export const cachedTrainStep = (objective: PartedObjective, config: CachedTrainStepConfig): CachedTrainStep => {
  const { encode, compare } = objective
  const learner = learnerOf(objective)
  const shared = Object.keys(encode.paramSpecs).filter((name) => compare.paramSpecs[name] !== undefined)
  if (learner.trainable.length === 0 || shared.length > 0) {
    throw new BadConfig({
      where: encode.name,
      expected: "parameters that learn, each in one half of the objective",
      received: shared.length > 0 ? `${shared.slice(0, 3).join(", ")} in both` : "none that learns",
      fix: "leave at least one node unfrozen, and share no parameter between encoders and loss",
    })
  }
  const stateOf = (half: Objective) => {
    const learning = new Set(half.trainable)
    const frozen = Object.keys(half.paramSpecs).filter((name) => !learning.has(name))
    return { [slots.params]: paramsOf(half, half.trainable), [slots.frozen]: paramsOf(half, frozen) }
  }
  const all = (state: Readonly<Record<string, Tensors>>): Tensors => ({
    ...state[slots.frozen],
    ...state[slots.params],
  })
  const names = Object.keys(config.features)
  const slopes = Object.fromEntries(
    Object.entries(config.features).map(([name, { shape }]) => [
      slopeOf(name),
      spec("float32", [Object.values(config.part)[0]!.shape[0]!, ...shape.slice(1)]),
    ]),
  )

  return {
    encode: {
      name: `${encode.name}.encode`,
      state: stateOf(encode),
      inputs: config.part,
      body: (state, inputs) => ({ outputs: encode.apply(all(state), inputs) }),
    },

    compare: {
      name: `${compare.name}.compare`,
      state: { ...stateOf(compare), [slots.gradients]: paramsOf(compare, compare.trainable) },
      inputs: config.features,
      body: (state, inputs) => {
        const { loss, reported, grads } = lossGradients(compare, all(state), inputs, compare.trainable, names)
        const own = Object.fromEntries(compare.trainable.map((name, i) => [name, grads[i]!]))
        const byFeature = names.map((name, i) => [slopeOf(name), grads[compare.trainable.length + i]!] as const)
        return {
          outputs: { loss, ...reported, ...Object.fromEntries(byFeature) },
          state: { [slots.gradients]: own },
        }
      },
    },

    backward: {
      name: `${encode.name}.backward`,
      state: { ...stateOf(encode), [slots.gradients]: paramsOf(encode, encode.trainable) },
      inputs: { ...config.part, ...slopes, keep: spec("float32", []) },
      body: (state, { keep, ...inputs }) => {
        const weighed: Objective = {
          ...encode,
          apply: (params, given) => {
            const features = encode.apply(params, given)
            const terms = names.map((name) => tf.sum(tf.mul(features[name]!, given[slopeOf(name)]!)))
            return { loss: terms.reduce((a, b) => tf.add(a, b)) }
          },
        }
        const { grads } = lossGradients(weighed, all(state), inputs, encode.trainable)
        const summed = encode.trainable.map((name, i) => {
          const kept = tf.mul(state[slots.gradients]![name]!, keep!)
          return [name, tf.add(kept, grads[i]!)] as const
        })
        return { outputs: {}, state: { [slots.gradients]: Object.fromEntries(summed) } }
      },
    },

    update: {
      name: `${encode.name}.update`,
      state: { ...learningState(learner, config), [slots.gradients]: paramsOf(learner, learner.trainable) },
      inputs: { loss: spec("float32", []) },
      commitIf: "finite",
      body: (state, { loss }) =>
        applyGradients(
          learner,
          config,
          state,
          loss!,
          learner.trainable.map((name) => state[slots.gradients]![name]!),
        ),
    },
  }
}

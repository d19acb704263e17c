/** The second half of an iteration: advantages of every code, and updates of policy and value model. */
import {
  Engine,
  float32,
  forward,
  type HostTensors,
  initParams,
  int32,
  type Key,
  objectiveOf,
  random,
  spec,
  split,
} from "@millrace/core"
import type { SparseConfig } from "@millrace/models"
import { Effect } from "effect"
import type { SparseTransformer } from "../../artifacts/sparseTransformer.js"
import { keepLastGood } from "../../fit.js"
import { renamed } from "../../parameters.js"
import { makeTrainer, type TrainerState, type Training } from "../../trainer.js"
import { captionBatch } from "../captionTokens.js"
import { codedSpecs } from "../codedRows.js"
import type { CodePpoConfig } from "./config.js"
import { codeExperience, codeUpdate } from "./objectives.js"
import type { CodeRollout } from "./rollout.js"

/** The one parameter of a prior that only its loss of text reads. */
const predictsText = "unembedding.text"

/** One update on a minibatch of images. */
export const codeUpdateTraining = (model: SparseConfig, config: CodePpoConfig): Training => {
  const { iterations, epochs, episodes, minibatch: b, schedule, optimizer, clip, valueRate } = config
  const floats = spec("float32", [b, model.rows * model.columns])
  return {
    objective: objectiveOf(codeUpdate(model, config)),
    inputs: {
      ...codedSpecs(model, b),
      every: floats,
      oldLogProb: floats,
      advantages: floats,
      returns: floats,
      oldValues: floats,
    },
    config: { steps: iterations * epochs * (episodes / b), schedule, optimizer, clip },
    rates: { "value.": valueRate },
  }
}

/** The policy starts as the prior, the value model as the prior's trunk with a head of zeros. */
const startOf = ({ params }: SparseTransformer, first: HostTensors): HostTensors => {
  const prior = { ...renamed(params, "", "policy."), ...renamed(params, "", "value.trunk.") }
  return Object.fromEntries(Object.entries(first).map(([name, value]) => [name, prior[name] ?? value]))
}

/** The given rows of every tensor. */
const rowsOf = (tensors: HostTensors, chosen: Int32Array): HostTensors =>
  Object.fromEntries(
    Object.entries(tensors).map(
      ([
        name,
        {
          shape: [, width = 1],
          dtype,
          data,
        },
      ]) => {
        const out = dtype === "int32" ? new Int32Array(chosen.length * width) : new Float32Array(chosen.length * width)
        for (const [i, row] of chosen.entries()) out.set(data.subarray(row * width, (row + 1) * width), i * width)
        return [name, (dtype === "int32" ? int32 : float32)([chosen.length, width], out)]
      },
    ),
  )

/**
 * Policy, value model and frozen prior in the engine, and what an iteration does with them.
 * @param before  goes on from here
 */
export const makeCodeLearner = (prior: SparseTransformer, config: CodePpoConfig, key: Key, before?: TrainerState) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const model = prior.config
    const { episodes: b, minibatch, epochs, beta, rewardScale } = config
    const places = model.rows * model.columns
    const training = codeUpdateTraining(model, config)
    const first = initParams(training.objective.paramSpecs, split(key, "value"))
    const trainer = yield* makeTrainer({
      ...training,
      initial: startOf(prior, first),
      ...(before && { from: before }),
    })
    // A sampler wants all of a prior; the embedding that predicts text is not the policy's to learn.
    const policy = yield* engine.allocate(renamed(prior.params, "", "policy."))
    const showPolicy = Effect.gen(function* () {
      yield* policy.write(renamed(yield* trainer.params.read(), "policy.", "policy."))
    })
    if (before !== undefined) yield* showPolicy
    const { [predictsText]: _, ...imageAlone } = prior.params
    const reference = yield* engine.allocate(renamed(imageAlone, "", "reference."))
    const floats = spec("float32", [b, places])
    const judge = yield* engine.compile(
      forward(
        objectiveOf(codeExperience(model, config)),
        {
          ...codedSpecs(model, b),
          every: floats,
          logProb: floats,
          score: spec("float32", [b]),
          beta: spec("float32", []),
        },
        { reference: "reference.", params: "value." },
      ),
    )
    const every = float32([b, places], new Float32Array(b * places).fill(1))

    /** Learns from a rollout; gives the mean KL of an image to the prior, before the updates. */
    const learn = (rollout: CodeRollout, iteration: number) =>
      Effect.gen(function* () {
        const rows = { ...captionBatch(rollout.tokens, model.text), codes: int32([b, places], rollout.codes) }
        const logProb = float32([b, places], rollout.logProb)
        const out = yield* judge.run({
          state: { reference, params: trainer.params },
          inputs: {
            ...rows,
            every,
            logProb,
            score: float32(
              [b],
              rollout.scores.map((score) => rewardScale * score),
            ),
            beta: float32([], [beta]),
          },
        })
        const all = {
          ...rows,
          every,
          oldLogProb: logProb,
          advantages: out.advantages!,
          returns: out.returns!,
          oldValues: out.values!,
        }
        let values: Readonly<Record<string, number>> = {}
        for (let epoch = 0; epoch < epochs; epoch++) {
          const order = random.permutation(split(split(key, iteration), epoch), b)
          for (let from = 0; from < b; from += minibatch) {
            const batch = rowsOf(all, order.subarray(from, from + minibatch))
            values = yield* keepLastGood(trainer, trainer.step(batch))
          }
        }
        yield* showPolicy
        const kl = (out.kl!.data as Float32Array).reduce((sum, x) => sum + x, 0) / b
        return { ...values, kl }
      })

    return { policy, learn, state: trainer.state }
  })

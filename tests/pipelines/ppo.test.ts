/** PPO as a learner: a small GPT learns a text, and then what a rule likes. */
import {
  adamW,
  Engine,
  forward,
  graph,
  type HostTensors,
  initParams,
  int32,
  keyFromSeed,
  objectiveOf,
  tensor,
} from "@millrace/core"
import { type GptConfig, gpt, logProbs, trainBpe } from "@millrace/models"
import {
  instructgptPresets,
  type LanguageModel,
  languageModelling,
  makeTrainer,
  type Passage,
  type PpoConfig,
  ppoStage,
  type Reward,
  tokenStream,
  windowBatch,
} from "@millrace/pipelines"
import { Effect, Exit } from "effect"
import { beforeAll, expect, test } from "vitest"
import { textOf } from "./corpus.js"
import { stageRunner } from "./onStage.js"
import { shelf } from "./shelf.js"

const on = stageRunner()
const documents = textOf(3)
const [promptLength, continuationLength] = [4, 8]
const width = promptLength + continuationLength

/** A rule: how often the letter e stands in the answer, which without merges is one token. */
const letter: Reward = {
  source: "a rule",
  files: {},
  open: () =>
    Effect.succeed(({ texts }) => Effect.succeed(Float32Array.from(texts, (text) => text.split("e").length - 1))),
}
const nobody = { source: "nobody", score: () => 0, data: {} }

const setting = Effect.gen(function* () {
  const tokenizer = yield* trainBpe([documents[0]!.text], { vocab: 257 })
  const stream = yield* tokenStream(documents, tokenizer)
  const config: GptConfig = { vocab: tokenizer.size, context: width, width: 32, layers: 1, heads: 2 }
  const objective = objectiveOf(languageModelling(config))
  const trainer = yield* makeTrainer({
    objective,
    inputs: { tokens: { dtype: "int32", shape: [32, width] } },
    initial: initParams(objective.paramSpecs, keyFromSeed(1)),
    config: { steps: 150, schedule: { kind: "cosine", peak: 1e-2, warmup: 5, floor: 0.1 }, optimizer: adamW, clip: 1 },
  })
  for (let step = 0; step < 150; step++) yield* trainer.step(windowBatch(stream, 32, width, keyFromSeed(2), step))
  const learnt = yield* trainer.params.read()
  const params: HostTensors = Object.fromEntries(
    Object.entries(learnt).map(([name, tensor]) => [name.replace("policy.", ""), tensor]),
  )
  const train = Array.from({ length: 64 }, (_, i): Passage => {
    const { data } = windowBatch(stream, 1, promptLength, keyFromSeed(3), i).tokens!
    return { prompt: Int32Array.from(data), continuation: Int32Array.of(tokenizer.endOfText) }
  })
  const policy: LanguageModel = { config, params }
  return { tokenizer, policy, passages: { promptLength, continuationLength, train, heldOut: train } }
})
type Setting = Effect.Success<typeof setting>

const ppo: PpoConfig = {
  ...instructgptPresets.tiny.ppo,
  iterations: 20,
  episodes: 64,
  minibatch: 32,
  epochs: 2,
  schedule: { kind: "constant", peak: 3e-3, warmup: 0, floor: 1 },
  kl: { beta: 0, controller: "fixed", target: 8, horizon: 2000, estimator: "k1" },
  ptx: { windows: 2, coefficient: 0 },
}

/** How likely a model finds the letter right after each prompt, in the mean. */
const likelihood = ({ config, params }: LanguageModel, { passages, tokenizer }: Setting) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const [letter = 0] = tokenizer.encode("e")
    const rows = passages.train.map(({ prompt }) => [...prompt, letter])
    const inputs = { tokens: int32([rows.length, promptLength + 1], rows.flat()) }
    const text = graph("text", { tokens: tensor("int32", "b t", "token") })
      .node("policy", gpt.logits(config), { tokens: "tokens" })
      .node("logProb", logProbs.of({}), { logits: "policy", tokens: "tokens" })
      .output({ logProb: "logProb" })
    const state = yield* engine.allocate(
      Object.fromEntries(Object.entries(params).map(([name, tensor]) => [`policy.${name}`, tensor])),
    )
    const run = yield* engine.compile(forward(objectiveOf(text), inputs))
    const { logProb } = yield* run.run({ state: { params: state }, inputs })
    const last = rows.map((row, i) => Math.exp(logProb!.data[(i + 1) * row.length - 1]!))
    return last.reduce((sum, p) => sum + p, 0) / last.length
  })

/** PPO from the setting's policy: rewards and KL of every rollout, and the letter's likelihood in the end. */
const trained = async (given: Setting, config: PpoConfig) => {
  const { tokenizer, policy, passages } = given
  const corpus = { source: "made by a test", train: documents, heldOut: [] }
  const { result, events } = await on(
    Effect.gen(function* () {
      const model = yield* ppoStage(config).run({
        policy,
        reward: letter,
        passages,
        corpus,
        tokenizer,
        labeler: nobody,
      })
      return yield* likelihood(model, given)
    }),
  )
  const told = (name: string) => events.flatMap((event) => (event.type === "stage.step" ? [event.values[name]!] : []))
  return { likelihood: result, rewards: told("reward"), kl: told("kl") }
}
const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x, 0) / values.length

let given: Setting
let before = 0
let free: Awaited<ReturnType<typeof trained>>
beforeAll(async () => {
  given = (await on(setting)).result
  before = (await on(likelihood(given.policy, given))).result
  free = await trained(given, ppo)
})

test("PPO raises the reward that it is given, and with it the probability of the token that the reward is for", () => {
  expect(free.rewards).toHaveLength(ppo.iterations)
  expect(mean(free.rewards.slice(-3))).toBeGreaterThan(2 * mean(free.rewards.slice(0, 3)))
  expect(free.likelihood).toBeGreaterThan(2 * before)
})

test("a large KL penalty keeps the policy by its reference, where without one it goes far", async () => {
  const held = await trained(given, { ...ppo, kl: { ...ppo.kl, beta: 50 } })
  expect(Math.abs(held.kl[0]!)).toBeLessThan(1e-3) // The first rollout is the reference's own.
  expect(mean(held.kl.slice(-5))).toBeLessThan(0.2 * mean(free.kl.slice(-5)))
  expect(held.likelihood).toBeLessThan(free.likelihood)
})

test("a reward that is not a number is NotFinite that names the iteration, the answer and the reward, before an update", async () => {
  const { tokenizer, policy, passages } = given
  const corpus = { source: "made by a test", train: documents, heldOut: [] }
  const never: Reward = {
    source: "a broken rule",
    files: {},
    open: (batch) => Effect.succeed(() => Effect.succeed(new Float32Array(batch).fill(Number.NaN))),
  }
  const { result: error, events } = await on(
    Effect.flip(ppoStage(ppo).run({ policy, reward: never, passages, corpus, tokenizer, labeler: nobody })),
  )
  expect(error).toMatchObject({ _tag: "NotFinite", where: "instructgpt.ppo > iteration 1 > reward" })
  expect(error).toMatchObject({ received: expect.stringMatching(/^NaN for ".*", from a broken rule$/) })
  expect(events.filter(({ type }) => type === "stage.step")).toEqual([])
})

test("PPO that stops between iterations goes on with the same bits, its controller and its table too", async () => {
  const { tokenizer, policy, passages } = given
  const kl = { ...ppo.kl, beta: 0.1, controller: "adaptive" } as const
  const config: PpoConfig = { ...ppo, iterations: 4, kl, ptx: { windows: 2, coefficient: 1 } }
  const corpus = { source: "made by a test", train: documents, heldOut: [] }
  const stage = ppoStage(config).run({ policy, reward: letter, passages, corpus, tokenizer, labeler: nobody })
  const undisturbed = await on(stage)
  const kept = shelf()
  const first = await on(Effect.exit(stage), 1, { checkpoints: kept.checkpoints, stopping: () => kept.step() === 2 })
  expect(Exit.isFailure(first.result)).toBe(true)
  const last = await on(stage, 1, { checkpoints: kept.checkpoints })
  expect([...first.events, ...last.events]).toEqual(undisturbed.events)
  expect(last.result).toEqual(undisturbed.result)
})

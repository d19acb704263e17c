/** What an evaluation measures of a model on held-out data. */
import { Engine, float32, forward, int32, objectiveOf, Stage, spec, split } from "@millrace/core"
import { compileSampler, generate, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { Comparison } from "../artifacts/comparisons.js"
import type { LanguageModel } from "../artifacts/languageModel.js"
import type { Passages } from "../artifacts/passages.js"
import type { Reward } from "../artifacts/reward.js"
import { renamed } from "../parameters.js"
import { pairAccuracy } from "../statistics.js"
import { sampleAt } from "./answers.js"
import { divergence, languageModelling } from "./objectives.js"
import { rowsOf, widthOf } from "./rows.js"
import { type Answered, scoreAll } from "./score.js"

/** A generation's worth of prompts, and the rows of every other program. */
const batch = 64

/** Answers of a model to the held-out prompts; every model gets the same random numbers. */
export const answersOf = (
  { config, params }: LanguageModel,
  passages: Passages,
  prompts: number,
  tokenizer: Tokenizer,
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { key } = yield* Stage
      const engine = yield* Engine
      const state = yield* engine.allocate(params)
      const sampler = yield* compileSampler(config, {
        batch,
        promptLength: passages.promptLength,
        length: passages.continuationLength,
        endOfText: tokenizer.endOfText,
        frozen: true,
      })
      const held = passages.heldOut.slice(0, prompts)
      const samples = yield* generate(
        sampler,
        state,
        held.map(({ prompt }) => [...prompt]),
        split(key, "answers"),
      )
      return held.map(({ prompt }, i): Answered => ({ prompt, answer: sampleAt(samples, i) }))
    }),
  )

/** The reward of each answer. */
export const rewardsOf = (reward: Reward, pairs: ReadonlyArray<Answered>, tokenizer: Tokenizer) =>
  Effect.scoped(Effect.map(scoreAll(reward, pairs, batch, tokenizer), (scores) => [...scores]))

/** KL(model ‖ reference) of each answer, nat: the exact KL of every next-token distribution, summed over the answer. */
export const klOf = (model: LanguageModel, reference: LanguageModel, pairs: ReadonlyArray<Answered>, padding: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const width = widthOf(pairs)
      const params = yield* engine.allocate({
        ...renamed(model.params, "", "policy."),
        ...renamed(reference.params, "", "reference."),
      })
      const program = yield* engine.compile(
        forward(objectiveOf(divergence(model.config)), {
          tokens: spec("int32", [batch, width]),
          mask: spec("float32", [batch, width]),
        }),
      )
      const kl: Array<number> = []
      for (let from = 0; from < pairs.length; from += batch) {
        const part = pairs.slice(from, from + batch)
        const { tokens, answerMask } = rowsOf(part, batch, width, padding)
        const inputs = { tokens: int32([batch, width], tokens), mask: float32([batch, width], answerMask) }
        const out = yield* program.run({ state: { params }, inputs })
        kl.push(...out.kl!.data.subarray(0, part.length))
      }
      return kl
    }),
  )

/** exp of the mean loss a token over windows of held-out text. */
export const perplexityOf = ({ config, params }: LanguageModel, stream: Int32Array, windows: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const { context } = config
      const rows = Math.min(32, windows)
      const state = yield* engine.allocate(renamed(params, "", "policy."))
      const program = yield* engine.compile(
        forward(objectiveOf(languageModelling(config)), { tokens: spec("int32", [rows, context]) }),
      )
      // Windows at even distances, so that every speech is in it.
      const batches = Math.max(1, Math.floor(windows / rows))
      const stride = Math.floor((stream.length - context) / (batches * rows))
      let loss = 0
      for (let i = 0; i < batches; i++) {
        const tokens = new Int32Array(rows * context)
        for (let j = 0; j < rows; j++) {
          const at = (i * rows + j) * stride
          tokens.set(stream.subarray(at, at + context), j * context)
        }
        const out = yield* program.run({ state: { params: state }, inputs: { tokens: int32([rows, context], tokens) } })
        loss += out.loss!.data[0]!
      }
      return Math.exp(loss / batches)
    }),
  )

/** How often the reward, the labeler and the gold score agree on the pairs of held-out comparisons. */
export const agreementOf = (reward: Reward, held: ReadonlyArray<Comparison>, tokenizer: Tokenizer) =>
  Effect.gen(function* () {
    const pairs = held.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer })))
    const scores = yield* rewardsOf(reward, pairs, tokenizer)
    let at = 0
    const scored = held.map(({ answers, ...row }) => {
      const given = scores.slice(at, at + answers.length)
      at += answers.length
      return { ...row, given }
    })
    return {
      labeler: pairAccuracy(scored.map(({ given, preference }) => [given, preference])),
      gold: pairAccuracy(scored.map(({ given, gold }) => [given, gold])),
      ceiling: pairAccuracy(scored.map(({ gold, preference }) => [gold, preference])),
    }
  })

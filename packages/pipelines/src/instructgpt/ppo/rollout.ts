/** The first half of an iteration: answers of the present policy, and their scores. */
import { type EngineError, type Key, NotFinite, type State, split } from "@millrace/core"
import { compileSampler, generate, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"
import type { Labeler } from "../../artifacts/labeler.js"
import type { LanguageModel } from "../../artifacts/languageModel.js"
import type { Passages } from "../../artifacts/passages.js"
import type { Reward } from "../../artifacts/reward.js"
import { epochRows } from "../../order.js"
import { sampleAt } from "../answers.js"
import { answerText, type Rows, rowsOf } from "../rows.js"
import type { Answered } from "../score.js"
import type { PpoConfig } from "./config.js"

/** Answers of one rollout, as rows of a batch. */
export interface Answers extends Rows {
  readonly iteration: number
  readonly answers: ReadonlyArray<Answered>
  readonly texts: ReadonlyArray<string>
  /** Under the policy that sampled, at the place of each token; 0 elsewhere: float32 b t, nat. */
  readonly logProbs: Float32Array
}

export interface ScoredAnswers extends Answers {
  /** float32 b */
  readonly scores: Float32Array
  /** The mean gold score: shown, never learnt from. */
  readonly gold: number
}

/** Samples and scores answers for a whole rollout at a time. */
export const makeRollout = (given: {
  readonly config: PpoConfig
  readonly policy: LanguageModel
  readonly reward: Reward
  readonly passages: Passages
  readonly tokenizer: Tokenizer
  readonly labeler: Labeler
}) =>
  Effect.gen(function* () {
    const { config, policy, reward, passages, tokenizer, labeler } = given
    const { episodes } = config
    const { promptLength, continuationLength: length } = passages
    const width = promptLength + length
    const sampler = yield* compileSampler(policy.config, {
      batch: episodes,
      promptLength,
      length,
      endOfText: tokenizer.endOfText,
      prefix: "policy.",
    })
    const scorer = yield* reward.open(episodes, width)

    const answers = (params: State, key: Key, iteration: number) =>
      Effect.gen(function* () {
        const prompts = epochRows(passages.train.length, episodes, split(key, "prompts"), 0).map(
          (i) => passages.train[i]!.prompt,
        )
        const samples = yield* generate(
          sampler,
          params,
          prompts.map((prompt) => [...prompt]),
          split(key, "tokens"),
        )
        const pairs = prompts.map((prompt, i) => ({ prompt, answer: sampleAt(samples, i) }))
        const logProbs = new Float32Array(episodes * width)
        for (let i = 0; i < episodes; i++) {
          logProbs.set(
            (samples.logProb.data as Float32Array).subarray(i * length, (i + 1) * length),
            i * width + promptLength,
          )
        }
        return {
          ...rowsOf(pairs, episodes, width, tokenizer.endOfText),
          iteration,
          answers: pairs,
          texts: pairs.map(({ answer }) => answerText(tokenizer, answer)),
          logProbs,
        } satisfies Answers
      })

    const score = (rollout: Answers): Effect.Effect<ScoredAnswers, EngineError | NotFinite> =>
      Effect.gen(function* () {
        const scores = yield* scorer({
          tokens: rollout.tokens,
          mask: rollout.mask,
          batch: episodes,
          width,
          texts: rollout.texts,
        })
        const bad = scores.findIndex((value) => !Number.isFinite(value))
        if (bad >= 0) {
          return yield* new NotFinite({
            where: `instructgpt.ppo > iteration ${rollout.iteration + 1} > reward`,
            expected: "a finite score for every answer",
            received: `${scores[bad]} for ${JSON.stringify(rollout.texts[bad])}, from ${reward.source}`,
            fix: "mend the reward, so that it scores any text, an empty one too",
          })
        }
        const gold = rollout.texts.reduce((sum, text) => sum + labeler.score(text), 0) / episodes
        return { ...rollout, scores, gold }
      })

    return { answers, score }
  })

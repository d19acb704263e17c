/** Stage: base, SFT and PPO side by side on held-out prompts and text, and the reward model on held-out comparisons. */
import { artifact, defineStageNode, Engine, float32, forward, int32, objectiveOf, Stage, split } from "@millrace/core"
import { compileSampler, generate, type Tokenizer } from "@millrace/models"
import { Effect, Schema } from "effect"
import { type Comparison, comparisonsKind } from "../artifacts/comparisons.js"
import { corpusKind } from "../artifacts/corpus.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { labelerKind } from "../artifacts/labeler.js"
import { type LanguageModel, languageModelKind } from "../artifacts/languageModel.js"
import { type Passages, passagesKind } from "../artifacts/passages.js"
import { rewardKind } from "../artifacts/reward.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count, CountOrZero, PositiveOrZero } from "../ranges.js"
import { sampleAt } from "./answers.js"
import { divergence, languageModelling } from "./objectives.js"
import { renamed } from "./parameters.js"
import { answerText, rowsOf } from "./rows.js"
import { type Answered, scoreAll } from "./score.js"
import { type Interval, interval, pairAccuracy } from "./statistics.js"
import { requireWindow, tokenStream } from "./windows.js"

/** A generation's worth of prompts, and the rows of every other program. */
const batch = 64

/** Answers of a model to the held-out prompts; every model gets the same random numbers. */
const answersOf = ({ config, params }: LanguageModel, passages: Passages, prompts: number, tokenizer: Tokenizer) =>
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

/** KL(model ‖ reference) of each answer, nat: the exact KL of every next-token distribution, summed over the answer. */
const klOf = (model: LanguageModel, reference: LanguageModel, pairs: ReadonlyArray<Answered>, padding: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const width = Math.max(...pairs.map(({ prompt, answer }) => prompt.length + answer.length))
      const params = yield* engine.allocate({
        ...renamed(model.params, "", "policy."),
        ...renamed(reference.params, "", "reference."),
      })
      const program = yield* engine.compile(
        forward(objectiveOf(divergence(model.config)), {
          tokens: { dtype: "int32", shape: [batch, width] },
          mask: { dtype: "float32", shape: [batch, width] },
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
const perplexityOf = ({ config, params }: LanguageModel, stream: Int32Array, windows: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const { context } = config
      const rows = Math.min(32, windows)
      const state = yield* engine.allocate(renamed(params, "", "policy."))
      const program = yield* engine.compile(
        forward(objectiveOf(languageModelling(config)), { tokens: { dtype: "int32", shape: [rows, context] } }),
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

const shown = ({ mean, low, high }: Interval): string => `${mean.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`

export const evaluateStage = defineStageNode({
  type: "instructgpt.evaluate",
  version: 1,
  config: Schema.Struct({
    /** Held-out prompts, one answer each at temperature 1. */
    prompts: Count,
    /** Windows of held-out text for the perplexity. */
    windows: Count,
    /** Prompts whose answers are shown. */
    samples: CountOrZero,
    /** KL to SFT that the aligned policy should stay under, nat an answer: stated, and reported against. */
    klLimit: PositiveOrZero,
  }),
  ports: {
    in: {
      base: artifact(languageModelKind),
      sft: artifact(languageModelKind),
      ppo: artifact(languageModelKind),
      reward: artifact(rewardKind),
      comparisons: artifact(comparisonsKind),
      passages: artifact(passagesKind),
      corpus: artifact(corpusKind),
      tokenizer: artifact(tokenizerKind),
      labeler: artifact(labelerKind),
    },
    out: artifact(evaluationKind),
  },
  run: (config, { base, sft, ppo, reward, comparisons, passages, corpus, tokenizer, labeler }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const stream = yield* tokenStream(corpus.heldOut, tokenizer)
      yield* requireWindow(stream, sft.config.context, "instructgpt.evaluate")
      const metrics: Record<string, number> = {}
      const rows: Array<ReadonlyArray<string | number>> = []
      const texts: Array<ReadonlyArray<string>> = []
      const policies = { base, sft, ppo } as const
      let prompts: ReadonlyArray<string> = []
      for (const [name, model] of Object.entries(policies)) {
        const pairs = yield* answersOf(model, passages, config.prompts, tokenizer)
        const answers = pairs.map(({ answer }) => answerText(tokenizer, answer))
        prompts = pairs.map(({ prompt }) => tokenizer.decode(prompt))
        const gold = interval(answers.map((text) => labeler.score(text)))
        const learnt = interval([...(yield* Effect.scoped(scoreAll(reward, pairs, batch, tokenizer)))])
        const kl = interval(yield* klOf(model, sft, pairs, tokenizer.endOfText))
        const length = interval(pairs.map(({ answer }) => answer.length))
        const perplexity = yield* perplexityOf(model, stream, config.windows)
        texts.push(answers.slice(0, config.samples))
        rows.push([
          name,
          shown(gold),
          learnt.mean.toFixed(2),
          kl.mean.toFixed(2),
          length.mean.toFixed(1),
          perplexity.toFixed(1),
        ])
        Object.assign(metrics, {
          [`${name}.gold`]: gold.mean,
          [`${name}.goldLow`]: gold.low,
          [`${name}.goldHigh`]: gold.high,
          [`${name}.reward`]: learnt.mean,
          [`${name}.klToSft`]: kl.mean,
          [`${name}.length`]: length.mean,
          [`${name}.perplexity`]: perplexity,
        })
      }
      const count = prompts.length
      const policyTable = {
        title: `Policies on ${count} held-out prompts`,
        columns: ["policy", "gold score [95 %]", "reward", "KL to SFT, nat", "tokens", "perplexity"],
        rows,
      }

      const judged = yield* Effect.scoped(accuracyOf(comparisons.heldOut))
      function accuracyOf(held: ReadonlyArray<Comparison>) {
        return Effect.gen(function* () {
          const pairs = held.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer })))
          const scores = yield* scoreAll(reward, pairs, batch, tokenizer)
          let at = 0
          const scored = held.map(({ answers, ...row }) => {
            const given = [...scores.subarray(at, at + answers.length)]
            at += answers.length
            return { ...row, given }
          })
          return {
            labeler: pairAccuracy(scored.map(({ given, preference }) => [given, preference])),
            gold: pairAccuracy(scored.map(({ given, gold }) => [given, gold])),
            ceiling: pairAccuracy(scored.map(({ gold, preference }) => [gold, preference])),
          }
        })
      }
      Object.assign(metrics, {
        "reward.accuracy": judged.labeler.accuracy,
        "reward.pairs": judged.labeler.pairs,
        "reward.goldAccuracy": judged.gold.accuracy,
        "labeler.goldAccuracy": judged.ceiling.accuracy,
        prompts: count,
      })
      const percent = (accuracy: number): string => `${(100 * accuracy).toFixed(1)} %`
      const rewardTable = {
        title: "Reward on held-out comparisons",
        columns: ["who agrees with whom", "pairs", "accuracy"],
        rows: [
          ["reward with the simulated labeler", judged.labeler.pairs, percent(judged.labeler.accuracy)],
          ["reward with the gold score", judged.gold.pairs, percent(judged.gold.accuracy)],
          [
            "gold score with the simulated labeler (the best possible)",
            judged.ceiling.pairs,
            percent(judged.ceiling.accuracy),
          ],
        ],
      }
      const samples = {
        columns: ["prompt", ...Object.keys(policies)],
        rows: texts[0]!.map((_, i) => [prompts[i]!, ...texts.map((column) => column[i]!)]),
      }
      for (const table of [policyTable, rewardTable]) yield* emit({ type: "stage.table", ...table })
      yield* emit({ type: "stage.samples", ...samples })
      const kl = metrics["ppo.klToSft"]!
      yield* emit({
        type: "stage.note",
        text: `KL of PPO to SFT is ${kl.toFixed(2)} nat an answer, ${kl < config.klLimit ? "under" : "NOT under"} the stated ${config.klLimit}`,
      })
      return { metrics, tables: [policyTable, rewardTable], samples } satisfies Evaluation
    }),
})

/** Stage: base, SFT and PPO side by side on held-out prompts and text, and the reward model on held-out comparisons. */
import { artifact, defineStageNode, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { comparisonsKind } from "../artifacts/comparisons.js"
import { corpusKind } from "../artifacts/corpus.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { labelerKind } from "../artifacts/labeler.js"
import { languageModelKind } from "../artifacts/languageModel.js"
import { passagesKind } from "../artifacts/passages.js"
import { rewardKind } from "../artifacts/reward.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count, CountOrZero, PositiveOrZero } from "../ranges.js"
import { interval, rounded, shown } from "../statistics.js"
import { agreementOf, answersOf, klOf, perplexityOf, rewardsOf } from "./measures.js"
import { answerText } from "./rows.js"
import { requireWindow, tokenStream } from "./windows.js"

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
        const learnt = interval(yield* rewardsOf(reward, pairs, tokenizer))
        const kl = interval(yield* klOf(model, sft, pairs, tokenizer.endOfText))
        const length = interval(pairs.map(({ answer }) => answer.length))
        const perplexity = yield* perplexityOf(model, stream, config.windows)
        texts.push(answers.slice(0, config.samples))
        rows.push([
          name,
          shown(gold, 2),
          rounded(learnt.mean, 2),
          rounded(kl.mean, 2),
          rounded(length.mean, 1),
          rounded(perplexity, 1),
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

      const judged = yield* agreementOf(reward, comparisons.heldOut, tokenizer)
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

/**
 * InstructGPT from raw text to an aligned policy.
 * Source   Ouyang et al. 2022, figure 2: demonstrations, comparisons, PPO.
 */
import { BadLength, graph } from "@millrace/core"
import { answersStage } from "./answers.js"
import { comparisonsStage } from "./comparisons.js"
import { demonstrationsStage } from "./demonstrations.js"
import { evaluateStage } from "./evaluate.js"
import { finetuneStage } from "./finetune.js"
import { passagesStage } from "./passages.js"
import { ppoStage } from "./ppo.js"
import type { InstructGptConfig } from "./presets.js"
import { pretrainStage } from "./pretrain.js"
import { rewardModelStage } from "./rewardModel.js"
import type { CorpusNode, LabelerNode } from "./sources.js"
import { tokenizerStage } from "./tokenizer.js"

/** What no stage can see alone, told before the first one runs. */
const checkLengths = ({ passages, pretrain }: InstructGptConfig): void => {
  const { promptLength, continuationLength } = passages
  const { context } = pretrain.model
  if (promptLength + continuationLength <= context) return
  throw new BadLength({
    where: "instructgpt > passages",
    expected: `promptLength + continuationLength of at most ${context}, the context of pretrain.model`,
    received: `${promptLength} + ${continuationLength} = ${promptLength + continuationLength} tokens`,
    fix: "shorten promptLength or continuationLength, or pretrain with a longer context",
  })
}

/**
 * The whole recipe, on any corpus and with any labeler.
 * @throws BadConfig  a stage's config that its schema refuses
 * @throws BadLength  prompts and continuations that do not fit into the model's context
 */
export const instructgpt = (config: InstructGptConfig, corpus: CorpusNode, labeler: LabelerNode) => {
  checkLengths(config)
  return graph("instructgpt", {})
    .node("corpus", corpus, {})
    .node("labeler", labeler, {})
    .node("tokenizer", tokenizerStage(config.tokenizer), { corpus: "corpus" })
    .node("passages", passagesStage(config.passages), { corpus: "corpus", tokenizer: "tokenizer" })
    .node("pretrain", pretrainStage(config.pretrain), { corpus: "corpus", tokenizer: "tokenizer" })
    .node("demonstrations", demonstrationsStage(config.demonstrations), {
      passages: "passages",
      tokenizer: "tokenizer",
      labeler: "labeler",
    })
    .node("sft", finetuneStage(config.sft), {
      base: "pretrain",
      demonstrations: "demonstrations",
      tokenizer: "tokenizer",
    })
    .node("answers", answersStage(config.answers), { policy: "sft", passages: "passages", tokenizer: "tokenizer" })
    .node("comparisons", comparisonsStage(config.comparisons), {
      answers: "answers",
      tokenizer: "tokenizer",
      labeler: "labeler",
    })
    .node("reward", rewardModelStage(config.reward), {
      policy: "sft",
      comparisons: "comparisons",
      demonstrations: "demonstrations",
      tokenizer: "tokenizer",
    })
    .node("ppo", ppoStage(config.ppo), {
      policy: "sft",
      reward: "reward",
      passages: "passages",
      corpus: "corpus",
      tokenizer: "tokenizer",
      labeler: "labeler",
    })
    .node("evaluate", evaluateStage(config.evaluate), {
      base: "pretrain",
      sft: "sft",
      ppo: "ppo",
      reward: "reward",
      comparisons: "comparisons",
      passages: "passages",
      corpus: "corpus",
      tokenizer: "tokenizer",
      labeler: "labeler",
    })
    .output("evaluate")
}

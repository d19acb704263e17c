/**
 * InstructGPT from raw text to an aligned policy.
 * Source   Ouyang et al. 2022, figure 2: demonstrations, comparisons, PPO.
 */
import { graph } from "@millrace/core"
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

/** The whole recipe, on any corpus and with any labeler. */
export const instructgpt = (config: InstructGptConfig, corpus: CorpusNode, labeler: LabelerNode) =>
  graph("instructgpt", {})
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

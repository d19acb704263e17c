/** Every stage type of the recipe, for registries: what graph files and `--set` are decoded with. */
import { answersStage } from "./answers.js"
import { comparisonsStage } from "./comparisons.js"
import { demonstrationsStage } from "./demonstrations.js"
import { evaluateStage } from "./evaluate.js"
import { finetuneStage } from "./finetune.js"
import { passagesStage } from "./passages.js"
import { ppoStage } from "./ppo.js"
import { pretrainStage } from "./pretrain.js"
import { rewardModelStage } from "./rewardModel.js"
import { tokenizerStage } from "./tokenizer.js"

export const instructgptStages = [
  tokenizerStage,
  passagesStage,
  pretrainStage,
  demonstrationsStage,
  finetuneStage,
  answersStage,
  comparisonsStage,
  rewardModelStage,
  ppoStage,
  evaluateStage,
] as const

/** Every stage type of the recipe, for registries: what graph files and `--set` are decoded with. */
import { captionTokenizerStage } from "../captions/tokenizer.js"
import { clipEvaluateStage } from "./evaluate.js"
import { clipIndexStage } from "./indexStage.js"
import { clipSearchStage } from "./search.js"
import { clipTrainStage } from "./train.js"

export const clipStages = [
  captionTokenizerStage,
  clipTrainStage,
  clipEvaluateStage,
  clipIndexStage,
  clipSearchStage,
] as const

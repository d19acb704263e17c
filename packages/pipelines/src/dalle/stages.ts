/** Every stage type of the recipe, for registries: what graph files and `--set` are decoded with. */
import { captionTokenizerStage } from "../captions/tokenizer.js"
import { clipTrainStage } from "../clip/train.js"
import { codesStage } from "./codes.js"
import { dvaeStage } from "./dvae.js"
import { evaluateDalleStage } from "./evaluate.js"
import { judgeStage } from "./judge.js"
import { priorStage } from "./prior.js"
import { rerankStage } from "./rerank.js"
import { sampleStage } from "./sample.js"

export const dalleStages = [
  captionTokenizerStage,
  dvaeStage,
  codesStage,
  priorStage,
  sampleStage,
  clipTrainStage,
  rerankStage,
  judgeStage,
  evaluateDalleStage,
] as const

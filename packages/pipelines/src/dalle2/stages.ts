/** Every stage type of the pipeline, for registries: what graph files and `--set` are decoded with. */
import { captionTokenizerStage } from "../captions/tokenizer.js"
import { clipTrainStage } from "../clip/train.js"
import { decoderStage } from "./decoder.js"
import { embeddingsStage } from "./embeddings.js"
import { evaluatePriorStage } from "./evaluatePrior.js"
import { interpolationsStage } from "./interpolations.js"
import { unclipPriorStage } from "./prior.js"
import { retrievalStage } from "./retrieval.js"
import { unclipSampleStage } from "./sample.js"
import { textDiffsStage } from "./textDiffs.js"
import { upsamplerStage } from "./upsampler.js"
import { variationsStage } from "./variations.js"

export const dalle2Stages = [
  captionTokenizerStage,
  clipTrainStage,
  embeddingsStage,
  unclipPriorStage,
  evaluatePriorStage,
  decoderStage,
  upsamplerStage,
  retrievalStage,
  unclipSampleStage,
  variationsStage,
  interpolationsStage,
  textDiffsStage,
] as const

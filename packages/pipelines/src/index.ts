export {
  type CaptionedImage,
  type CaptionedImages,
  captionedImagesKind,
  type ImageSet,
} from "./artifacts/captionedImages.js"
export { type ClipModel, clipModelKind } from "./artifacts/clipModel.js"
export {
  type Answers,
  answersKind,
  type Comparison,
  comparisonsKind,
  type Split,
} from "./artifacts/comparisons.js"
export { type Corpus, corpusKind, type Document } from "./artifacts/corpus.js"
export { type EmbeddingIndex, embeddingIndexKind, type IndexedImage } from "./artifacts/embeddingIndex.js"
export { type Evaluation, evaluationKind, type Table } from "./artifacts/evaluation.js"
export { type Labeler, labelerKind, lexiconScore } from "./artifacts/labeler.js"
export { type LanguageModel, languageModelKind } from "./artifacts/languageModel.js"
export { type Passage, type Passages, passagesKind } from "./artifacts/passages.js"
export { type Reward, rewardKind, type Scored, type Scorer } from "./artifacts/reward.js"
export { tokenizerKind } from "./artifacts/tokenizer.js"
export { captionsOf } from "./captions/captions.js"
export { captionText } from "./captions/captionText.js"
export { captionRows } from "./captions/rows.js"
export type { CaptionedImagesNode } from "./captions/source.js"
export { captionTokenizerStage } from "./captions/tokenizer.js"
export { execute } from "./cli/execute.js"
export { exitCodes } from "./cli/exit.js"
export { AugmentConfig, writeAugmented } from "./clip/augment.js"
export { type ClipBatches, clipBatch } from "./clip/batches.js"
export { type ClipEmbedder, clipEmbedder, clipTowers } from "./clip/embedder.js"
export { clipEvaluateStage } from "./clip/evaluate.js"
export { clip } from "./clip/graph.js"
export { clipHalves } from "./clip/halves.js"
export { clipIndexStage } from "./clip/indexStage.js"
export { classFeatures, type Measure, type Measured, measureSet } from "./clip/measure.js"
export { type ClipPipelineConfig, clipPaper, clipPipelinePresets } from "./clip/presets.js"
export { cosinesOf, ensembleOf, type Features, nearest, ranksOf } from "./clip/ranks.js"
export { type ClipSearch, clipSearch, clipSearchStage, type Found } from "./clip/search.js"
export { type Share, shareOf } from "./clip/share.js"
export { clipStages } from "./clip/stages.js"
export { ClipShape, clipTrainingOf, clipTrainStage } from "./clip/train.js"
export { ClipWatch } from "./clip/watch.js"
export { type FitOptions, fit, keepLastGood } from "./fit.js"
export { areaMean, type Box } from "./images/areaMean.js"
export { type Bitmap, over } from "./images/bitmap.js"
export { decodeImage } from "./images/decodeImage.js"
export { defaultLimits, type ImageLimits } from "./images/limits.js"
export { type Recent, recent } from "./images/recent.js"
export { type ImageGrid, showImages, type Tile } from "./images/showImages.js"
export { squareOf } from "./images/squareOf.js"
export { demonstrationsKind } from "./instructgpt/demonstrations.js"
export { instructgpt } from "./instructgpt/graph.js"
export {
  divergence,
  experienceOf,
  fineTuning,
  languageModelling,
  policyUpdate,
  ranking,
  scoring,
} from "./instructgpt/objectives.js"
export { epochRows } from "./instructgpt/order.js"
export { PpoConfig } from "./instructgpt/ppo/config.js"
export { ppoStage } from "./instructgpt/ppo.js"
export { type InstructGptConfig, instructgptPresets } from "./instructgpt/presets.js"
export { pretrainStage } from "./instructgpt/pretrain.js"
export { type Rows, rowsOf } from "./instructgpt/rows.js"
export { sentences } from "./instructgpt/sentences.js"
export type { CorpusNode, LabelerNode } from "./instructgpt/sources.js"
export { instructgptStages } from "./instructgpt/stages.js"
export { type Interval, interval, pairAccuracy } from "./instructgpt/statistics.js"
export { tokenStream, windowBatch } from "./instructgpt/windows.js"
export { type PartedStep, type Parts, partedStep } from "./partedStep.js"
export { FitConfig, makeTrainer, type Trainer, type TrainerOptions, type Training, trainingOf } from "./trainer.js"
export { hasColour, type Ink, inkFor, isLive, type Screen, type Variables } from "./view/ink.js"
export { samplesText, wrap } from "./view/samplesText.js"
export { showRun, type ViewOptions } from "./view/terminal.js"

export {
  type Candidate,
  type Candidates,
  candidatesKind,
  type Drawn,
  type RankedCandidates,
  type RankedDrawn,
  type Request,
  rankedCandidatesKind,
} from "./artifacts/candidates.js"
export {
  type CaptionedImage,
  type CaptionedImages,
  captionedImagesKind,
  type ImageSet,
} from "./artifacts/captionedImages.js"
export { type ClipModel, clipModelKind } from "./artifacts/clipModel.js"
export { type Answers, answersKind, type Comparison, comparisonsKind, type Split } from "./artifacts/comparisons.js"
export { type Corpus, corpusKind, type Document } from "./artifacts/corpus.js"
export { type DiscreteVae, discreteVaeKind } from "./artifacts/discreteVae.js"
export { type EmbeddedSet, type Embeddings, embeddingsKind } from "./artifacts/embeddings.js"
export { type Evaluation, evaluationKind, type Table } from "./artifacts/evaluation.js"
export { type CodedSet, type ImageCodes, imageCodesKind } from "./artifacts/imageCodes.js"
export {
  type ImageDecoder,
  type ImageUpsampler,
  imageDecoderKind,
  imageUpsamplerKind,
} from "./artifacts/imageDecoder.js"
export { type Judge, judgeKind, type Verdict } from "./artifacts/judge.js"
export { type Labeler, labelerKind, lexiconScore } from "./artifacts/labeler.js"
export { type LanguageModel, languageModelKind } from "./artifacts/languageModel.js"
export { type Passage, type Passages, passagesKind } from "./artifacts/passages.js"
export { type Reward, rewardKind, type Scored, type Scorer } from "./artifacts/reward.js"
export { type SparseTransformer, sparseTransformerKind } from "./artifacts/sparseTransformer.js"
export { tokenizerKind } from "./artifacts/tokenizer.js"
export { type CodePrior, type DiffusionPrior, type UnclipPrior, unclipPriorKind } from "./artifacts/unclipPrior.js"
export { captionsOf } from "./captions/captions.js"
export { captionText } from "./captions/captionText.js"
export { captionRows } from "./captions/rows.js"
export { captionTokenizerStage } from "./captions/tokenizer.js"
export { execute } from "./cli/execute.js"
export { exitCodes } from "./cli/exit.js"
export { AugmentConfig, writeAugmented } from "./clip/augment.js"
export { type ClipBatches, clipBatch } from "./clip/batches.js"
export { type ClipEmbedder, clipEmbedder, clipEmbedderOn } from "./clip/embedder.js"
export { clipHalves } from "./clip/halves.js"
export { ClipShape, clipTrainingOf, clipTrainStage } from "./clip/train.js"
export { bestOfWeights, expectedBest } from "./dalle/bestOf.js"
export { type CodebookUse, codebookUse, peakSignalToNoise } from "./dalle/codebook.js"
export { codesStage } from "./dalle/codes.js"
export { dvaeStage } from "./dalle/dvae.js"
export { evaluateDalleStage } from "./dalle/evaluate.js"
export { type Facts, type Inverses, pictureFacts } from "./dalle/facts.js"
export { dalle } from "./dalle/graph.js"
export { judgeStage } from "./dalle/judge.js"
export { decoding, discreteCoding, imagePrior, reconstruction } from "./dalle/objectives.js"
export { CodePpoConfig } from "./dalle/ppo/config.js"
export { codePpoStage } from "./dalle/ppo.js"
export { type DalleConfig, dallePresets } from "./dalle/presets.js"
export { priorStage } from "./dalle/prior.js"
export { rankAll } from "./dalle/rankAll.js"
export { rerankStage } from "./dalle/rerank.js"
export { sampleStage } from "./dalle/sample.js"
export type { ImagesNode } from "./dalle/sources.js"
export { dalleStages } from "./dalle/stages.js"
export { type CaptionedRows, captionedRows } from "./dalle2/captionedRows.js"
export { captionInputs } from "./dalle2/captionInputs.js"
export { codePriorConfig } from "./dalle2/codePrior.js"
export type { Dalle2Config } from "./dalle2/config.js"
export { decoderStage } from "./dalle2/decoder.js"
export { DecoderSampling, DecoderStageConfig, decoderConfigOf } from "./dalle2/decoderConfig.js"
export { diffusionPriorConfig } from "./dalle2/diffusionPrior.js"
export { ranks, rowCosines } from "./dalle2/embeddingMetrics.js"
export { embeddingsStage } from "./dalle2/embeddings.js"
export { evaluatePriorStage } from "./dalle2/evaluatePrior.js"
export { dalle2 } from "./dalle2/graph.js"
export { ImageSampling, openImageMaker } from "./dalle2/imageMaker.js"
export { interpolationsStage } from "./dalle2/interpolations.js"
export { LatentSampling } from "./dalle2/latents.js"
export { codePriorTraining, decoderTraining, priorTraining, upsamplerTraining } from "./dalle2/objectives.js"
export { pickCaptions, pickImages } from "./dalle2/pickCaptions.js"
export { batchOf, bytesOf, enlarged } from "./dalle2/pixels.js"
export { dalle2Presets } from "./dalle2/presets.js"
export { unclipPriorStage } from "./dalle2/prior.js"
export { PriorStageConfig } from "./dalle2/priorConfig.js"
export { openPrior, PriorSampling } from "./dalle2/priorSampler.js"
export { retrievalStage } from "./dalle2/retrieval.js"
export { unclipSampleStage } from "./dalle2/sample.js"
export { share } from "./dalle2/share.js"
export { between, sharesTo, turned } from "./dalle2/shares.js"
export { dalle2Stages } from "./dalle2/stages.js"
export { textDiffsStage } from "./dalle2/textDiffs.js"
export { upsamplerStage } from "./dalle2/upsampler.js"
export { UpsamplerSampling, UpsamplerStageConfig, upsamplerConfigOf } from "./dalle2/upsamplerConfig.js"
export { variationsStage } from "./dalle2/variations.js"
export { type FitOptions, fit, keepLastGood } from "./fit.js"
export { areaMean, type Box } from "./images/areaMean.js"
export { type Bitmap, over } from "./images/bitmap.js"
export { checkImage, decodeImage } from "./images/decodeImage.js"
export { ImageFolderConfig, imageFolder } from "./images/folder/imageFolder.js"
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
export { asksSixel, type Keyboard } from "./view/images/asksSixel.js"
export { enlarge, type Picture } from "./view/images/enlarge.js"
export { type ImageProtocol, imageProtocol, imageProtocols } from "./view/images/imageProtocol.js"
export { imagesText } from "./view/images/imagesText.js"
export { iterm } from "./view/images/iterm.js"
export { kitty } from "./view/images/kitty.js"
export { sixel } from "./view/images/sixel.js"
export { hasColour, type Ink, inkFor, isLive, type Screen, type Variables } from "./view/ink.js"
export { samplesText, wrap } from "./view/samplesText.js"
export { showRun, type ViewOptions } from "./view/terminal.js"

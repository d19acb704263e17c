/** The public names of the models, in reading order. */

export { loadTokenizer, saveTokenizer } from "./bpe/files.js"
export { type BpeDropout, type EncodeOptions, type Tokenizer, tokenizer } from "./bpe/tokenizer.js"
export { tokenizerJson } from "./bpe/tokenizerJson.js"
export { type TrainBpeConfig, trainBpe } from "./bpe/train.js"
export { END_OF_TEXT, type Vocabulary, vocabularyFromRanks } from "./bpe/vocabulary.js"
export { type AttentionPoolParams, attentionPool, attentionPoolParams } from "./clip/attentionPool.js"
export {
  ClipConfig,
  type ClipParams,
  clip,
  clipImageFeatures,
  clipParams,
  clipTextFeatures,
  cosines,
} from "./clip/clip.js"
export { clipPixels, preprocess } from "./clip/preprocess.js"
export { clipPresets } from "./clip/presets.js"
export { ResNetConfig, type ResNetParams, resNet, resNetParams, resNetTrunk } from "./clip/resNet.js"
export { clipMoments, populationStatistics, resNetMoments, runningStatistics } from "./clip/statistics.js"
export { ClipTextConfig, type ClipTextParams, clipText, clipTextParams } from "./clip/text.js"
export {
  type ClipEncodeOptions,
  type ClipTokenizer,
  type ClipVocabulary,
  clipTokenizer,
  loadClipTokenizer,
} from "./clip/tokenizer/clipTokenizer.js"
export { clipTokenizerJson } from "./clip/tokenizer/clipTokenizerJson.js"
export { clipTraining } from "./clip/training.js"
export { unitNorm } from "./clip/unitNorm.js"
export { VitConfig, type VitParams, vit, vitParams } from "./clip/vit.js"
export { classProbabilities, ensemble } from "./clip/zeroShot.js"
export { alignedCrops, type Pairs } from "./corruption/alignedCrops.js"
export { blur, gaussianTaps } from "./corruption/blur.js"
export { corruption } from "./corruption/corruptionNodes.js"
export { type DegradeConfig, type Draws, degradations, degrade, drawDegradation } from "./corruption/degrade.js"
export { jpeg } from "./corruption/jpeg.js"
export { type Resampling, resizeImage } from "./corruption/resizeImage.js"
export { type CosineRamp, cosineRamp } from "./cosineRamp.js"
export {
  type Caption,
  DecoderConfig,
  type DecoderParams,
  type DecoderTree,
  decoder,
  decoderConditions,
  decoderParams,
  decoderText,
  type EncodedText,
  type ImageEmbedding,
} from "./decoder.js"
export { decoderPresets } from "./decoderPresets.js"
export { addNoise } from "./diffusion/addNoise.js"
export { boundTerm, priorTerm } from "./diffusion/bound.js"
export {
  compileDiffusionBound,
  type DiffusionBound,
  type DiffusionBoundConfig,
} from "./diffusion/compileDiffusionBound.js"
export { compileDiffusionInverse, type DiffusionInverse } from "./diffusion/compileDiffusionInverse.js"
export {
  compileDiffusionSampler,
  type DiffusionSampler,
  type DiffusionSamples,
} from "./diffusion/compileDiffusionSampler.js"
export { ddimInverseStep, ddimStep } from "./diffusion/ddim.js"
export { ddpmStep } from "./diffusion/ddpm.js"
export { type Denoiser, type DenoiserPorts, denoiserOf } from "./diffusion/denoiser.js"
export { type Diffusion, DiffusionConfig, diffusionOf } from "./diffusion/diffusion.js"
export { discretisedNormal } from "./diffusion/discretisedNormal.js"
export { guideMean, guideNoise } from "./diffusion/gradientGuidance.js"
export { guide, guided } from "./diffusion/guidance.js"
export {
  type DiffusionBatch,
  type DiffusionLoss,
  type DiffusionLossConfig,
  diffusionLoss,
  diffusionLosses,
} from "./diffusion/loss.js"
export { diffusion } from "./diffusion/nodes.js"
export { type Normal, normalKl } from "./diffusion/normalKl.js"
export { convertPrediction, errorWeights, type Parametrisation, parametrisations } from "./diffusion/parametrisation.js"
export { posteriorMean } from "./diffusion/posterior.js"
export { respace, spacedSteps } from "./diffusion/respacing.js"
export { type Reverse, reverse } from "./diffusion/reverse.js"
export { takeRows } from "./diffusion/rows.js"
export { type NoiseSchedule, NoiseScheduleConfig, noiseSchedule, noiseScheduleOf } from "./diffusion/schedule.js"
export { slerp } from "./diffusion/slerp.js"
export { logVariance, type SplitOutput, splitOutput, type Variance, variances } from "./diffusion/variance.js"
export { velocity } from "./diffusion/velocity.js"
export type { DiffusionSamplerConfig } from "./diffusion/walk.js"
export type { DiffusionProgress, WalkedRows } from "./diffusion/walkRows.js"
export {
  DvaeConfig,
  type DvaeParams,
  type DvaeTree,
  dvae,
  dvaeDecode,
  dvaeDecodeCodes,
  dvaeDecoderParams,
  dvaeEncode,
  dvaeEncoderParams,
  dvaeImage,
  type PixelStats,
} from "./dvae.js"
export { dvaePresets, dvaeSchedules } from "./dvaePresets.js"
export { fromScalar, fromTrunk } from "./fromTrunk.js"
export {
  GptConfig,
  type GptInputs,
  type GptParams,
  type GptTree,
  gpt,
  gptLogits,
  gptParams,
  gptTrunk,
  gptUnembed,
} from "./gpt.js"
export { gptPresets } from "./gptPresets.js"
export { type DropRates, drawKeeps, dropRates } from "./guidanceDrops.js"
export { gumbelSoftmax } from "./gumbelSoftmax.js"
export { attention, causalBias, joinHeads, paddedCausalBias, partHeads } from "./layers/attention.js"
export { halve } from "./layers/halve.js"
export { mapPixels, pixelMargin, unmapPixels } from "./layers/pixels.js"
export { sparseAttention } from "./layers/sparseAttention.js"
export { type SparseBlocks, sparseBlocks } from "./layers/sparseBlocks.js"
export { type SparseGrid, type SparsePattern, seenDistances, sparseMask } from "./layers/sparseMasks.js"
export { timeWaves } from "./layers/timeWaves.js"
export { alignedLogProbs, logProbs } from "./logProbs.js"
export { contrastiveLoss, matchingLoss } from "./losses/contrastive.js"
export { credit } from "./losses/creditNodes.js"
export { type DvaeBatch, type DvaeLoss, dvaeLoss } from "./losses/dvae.js"
export { entropy } from "./losses/entropy.js"
export { exactKl } from "./losses/exactKl.js"
export { type Advantages, type GaeConfig, gae } from "./losses/gae.js"
export { type EncodePart, gradCache } from "./losses/gradCache.js"
export { type AdaptiveKlConfig, adaptiveKl, fixedKl, type KlController } from "./losses/klController.js"
export { type KlEstimateConfig, type KlEstimator, klEstimate, klEstimators } from "./losses/klEstimate.js"
export { kl } from "./losses/klNodes.js"
export { logitLaplace } from "./losses/logitLaplace.js"
export { loss } from "./losses/lossNodes.js"
export { type Mask, maskedMean, maskedSum, type Normaliser, normalisers, select } from "./losses/masked.js"
export { type PolicyLoss, type PolicyLossConfig, policyLoss } from "./losses/policyLoss.js"
export { type PpoBatch, type PpoLoss, type PpoLossConfig, ppoLoss } from "./losses/ppo.js"
export { codeLoss, priorLoss } from "./losses/priors.js"
export { type PtxLossConfig, ptxLoss } from "./losses/ptx.js"
export { preferredPairs, type RankingLossConfig, rankingLoss } from "./losses/ranking.js"
export { rankingAccuracy } from "./losses/rankingAccuracy.js"
export { type SftLossConfig, sftLoss } from "./losses/sft.js"
export { padCaptions, type SparseLoss, type SparseLossConfig, sparseLoss } from "./losses/sparse.js"
export {
  type ScorePlacement,
  scorePlacements,
  type TokenRewards,
  type TokenRewardsConfig,
  tokenRewards,
} from "./losses/tokenRewards.js"
export { uniformKl } from "./losses/uniformKl.js"
export { type ValueLoss, type ValueLossConfig, valueLoss } from "./losses/valueLoss.js"
export { type WhitenConfig, whiten } from "./losses/whiten.js"
export { type PaperModel, type PaperSize, paperModels } from "./paperModels.js"
export { isPaperName, type PaperName, paperNames } from "./paperNames.js"
export { bestOf, bestOfKl, type Ranked, rerank, takeRanked } from "./rerank.js"
export {
  normalisedHead,
  type RewardNormalisation,
  reward,
  rewardParams,
  rewardScore,
  type ScalarParams,
  type ScalarTree,
} from "./reward.js"
export {
  type CaptionBatch,
  compileImageSampler,
  compileImageSamplerWithoutCache,
  type ImageSampler,
} from "./sample/compileImageSampler.js"
export { compileSampler, compileSamplerWithoutCache, type Sampler } from "./sample/compileSampler.js"
export { generate, type Samples } from "./sample/generate.js"
export { generateCodes, type ImageSamples } from "./sample/generateCodes.js"
export { type ImageSamplerConfig, type ImageSamplerFunctions, imageSamplerFunctions } from "./sample/imageSampler.js"
export { type SamplerFunctions, samplerFunctions } from "./sample/sampler.js"
export type { SamplerBasis } from "./sample/samplerBasis.js"
export type { SamplerConfig } from "./sample/samplerConfig.js"
export { drawToken, type SamplingTransform, transformLogits } from "./sample/transform.js"
export {
  type Attend,
  SparseConfig,
  type SparseInputs,
  type SparseParams,
  type SparseTree,
  sparse,
  sparseLogits,
  sparseParams,
  sparsePatterns,
  sparseTrunk,
} from "./sparse.js"
export { sparsePresets } from "./sparsePresets.js"
export {
  encodeText,
  lastPosition,
  TextEncoderConfig,
  type TextEncoderParams,
  type TextEncoderTree,
  textEncoder,
  textEncoderParams,
} from "./textEncoder.js"
export {
  AutoregressivePriorConfig,
  type AutoregressivePriorInputs,
  type AutoregressivePriorParams,
  autoregressivePrior,
  autoregressivePriorLogits,
  autoregressivePriorParams,
} from "./unclip/autoregressivePrior.js"
export {
  type AutoregressivePriorSamplerFunctions,
  autoregressivePriorSamplerFunctions,
} from "./unclip/autoregressivePriorSampler.js"
export type { AutoregressivePriorSamplerConfig } from "./unclip/autoregressivePriorSamplerConfig.js"
export { dequantise, fitRange, quantise, type Range } from "./unclip/buckets.js"
export type { CaptionInputs } from "./unclip/caption.js"
export type { Captions } from "./unclip/captions.js"
export { closestCandidate } from "./unclip/closestCandidate.js"
export {
  type AutoregressivePriorSampler,
  type CodeBatch,
  compileAutoregressivePriorSampler,
  compileAutoregressivePriorSamplerWithoutCache,
} from "./unclip/compileAutoregressivePriorSampler.js"
export { compilePriorSampler, type PriorSampler, type PriorSamples } from "./unclip/compilePriorSampler.js"
export {
  type EmbeddingScale,
  type EmbeddingScaleData,
  embeddingScaleOf,
  scaleEmbeddings,
  unscaleEmbeddings,
} from "./unclip/embeddingScale.js"
export {
  type DecoderConditions,
  decodeLatents,
  encodeLatents,
  interpolateLatents,
  type Latents,
} from "./unclip/latents.js"
export { manipulation } from "./unclip/manipulationNodes.js"
export { fitPca, type Pca, projectEmbeddings, reconstructEmbeddings } from "./unclip/pca.js"
export { PriorConfig, type PriorInputs, type PriorParams, prior, priorEmbedding, priorParams } from "./unclip/prior.js"
export { priorDenoiser } from "./unclip/priorDenoiser.js"
export { autoregressivePriorPresets, priorPresets } from "./unclip/priorPresets.js"
export {
  type EmbeddingClamp,
  embeddingClamps,
  type PriorSamplerConfig,
  priorSamplerPresets,
} from "./unclip/priorSamplerConfig.js"
export { type EmbeddingCodes, sampleEmbeddingCodes } from "./unclip/sampleEmbeddingCodes.js"
export { textDiff } from "./unclip/textDiff.js"
export { upperHalf } from "./unclip/upperHalf.js"
export { type Context, imageAttention, imageAttentionParams } from "./unet/imageAttention.js"
export { doubled, halved, type Modulation, type Resizing, residual, residualParams } from "./unet/residual.js"
export {
  noiseAndVariance,
  type UnetConditions,
  UnetConfig,
  type UnetParams,
  type UnetTree,
  unet,
  unetParams,
  unetPredict,
} from "./unet.js"
export { UpsamplerConfig, upsampler, upsamplerParams, upsamplerPredict } from "./upsampler.js"
export { upsamplerCorruptions, upsamplerPresets } from "./upsamplerPresets.js"
export { value, valueParams, values } from "./value.js"
export { checkCheckpoint } from "./weights/checkCheckpoint.js"
export { fromCheckpoint, toCheckpoint } from "./weights/checkpoint.js"
export { huggingFaceClip, openAiClip } from "./weights/clip.js"
export { loadClip, saveClip } from "./weights/clipFolder.js"
export { openaiDvaeDecoder, openaiDvaeEncoder } from "./weights/dallE.js"
export { diffusersPrior } from "./weights/diffusersPrior.js"
export { diffusersUnclip, diffusersUnet } from "./weights/diffusersUnet.js"
export { huggingFaceGpt2 } from "./weights/gpt2.js"
export { loadGpt, saveGpt } from "./weights/gptFolder.js"
export { type AttentionOrder, glideDecoder, guidedDiffusionUnet, karloDecoder } from "./weights/guidedDiffusion.js"
export { rearrange } from "./weights/rearrange.js"
export type { Rename, RenameTable } from "./weights/renameTable.js"

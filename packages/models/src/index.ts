/** The public names of the models, in reading order. */

export { loadTokenizer, saveTokenizer } from "./bpe/files.js"
export { type EncodeOptions, type Tokenizer, tokenizer } from "./bpe/tokenizer.js"
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
  clipTokenizer,
  loadClipTokenizer,
} from "./clip/tokenizer/clipTokenizer.js"
export { clipTraining } from "./clip/training.js"
export { unitNorm } from "./clip/unitNorm.js"
export { VitConfig, type VitParams, vit, vitParams } from "./clip/vit.js"
export { classProbabilities, ensemble } from "./clip/zeroShot.js"
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
export { attention, causalBias, joinHeads, paddedCausalBias, partHeads } from "./layers/attention.js"
export { geluErf } from "./layers/geluErf.js"
export { halve } from "./layers/halve.js"
export { sparseAttention } from "./layers/sparseAttention.js"
export { type SparseBlocks, sparseBlocks } from "./layers/sparseBlocks.js"
export { type SparseGrid, type SparsePattern, seenDistances, sparseMask } from "./layers/sparseMasks.js"
export { alignedLogProbs, logProbs } from "./logProbs.js"
export { contrastiveLoss, matchingLoss } from "./losses/contrastive.js"
export { credit } from "./losses/creditNodes.js"
export { entropy } from "./losses/entropy.js"
export { exactKl } from "./losses/exactKl.js"
export { type Advantages, type GaeConfig, gae } from "./losses/gae.js"
export { type EncodePart, gradCache } from "./losses/gradCache.js"
export { type AdaptiveKlConfig, adaptiveKl, fixedKl, type KlController } from "./losses/klController.js"
export { type KlEstimateConfig, type KlEstimator, klEstimate, klEstimators } from "./losses/klEstimate.js"
export { kl } from "./losses/klNodes.js"
export { loss } from "./losses/lossNodes.js"
export { type Mask, maskedMean, maskedSum, type Normaliser, normalisers, select } from "./losses/masked.js"
export { type PolicyLoss, type PolicyLossConfig, policyLoss } from "./losses/policyLoss.js"
export { type PpoBatch, type PpoLoss, type PpoLossConfig, ppoLoss } from "./losses/ppo.js"
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
export { type ValueLoss, type ValueLossConfig, valueLoss } from "./losses/valueLoss.js"
export { type WhitenConfig, whiten } from "./losses/whiten.js"
export {
  normalisedHead,
  type RewardNormalisation,
  reward,
  rewardParams,
  rewardScore,
  type ScalarParams,
  type ScalarTree,
} from "./reward.js"
export { compileSampler, compileSamplerWithoutCache, type Sampler } from "./sample/compileSampler.js"
export { generate, type Samples } from "./sample/generate.js"
export { type SamplerFunctions, samplerFunctions } from "./sample/sampler.js"
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
export { value, valueParams, values } from "./value.js"
export { fromCheckpoint, toCheckpoint } from "./weights/checkpoint.js"
export { huggingFaceClip, openAiClip } from "./weights/clip.js"
export { huggingFaceGpt2 } from "./weights/gpt2.js"
export { rearrange } from "./weights/rearrange.js"
export type { Rename, RenameTable } from "./weights/renameTable.js"

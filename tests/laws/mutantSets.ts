/** Every set of laws with the mutants that it kills. A new set is one line. */

import { attentionPoolMutants, halveMutants } from "./mutants/clipPool.js"
import { clipTokenizerMutants } from "./mutants/clipTokenizer.js"
import { clipTextMutants, resNetMutants, vitMutants } from "./mutants/clipTowers.js"
import { codeSamplerMutants } from "./mutants/codeSampler.js"
import { contrastiveMutants, matchingMutants } from "./mutants/contrastive.js"
import { blurMutants, degradeMutants, jpegMutants, resizeMutants } from "./mutants/corruption.js"
import { crossEntropyMutants } from "./mutants/crossEntropy.js"
import { decoderMutants } from "./mutants/decoder.js"
import { diffusionLossMutants, discretisedMutants, normalKlMutants } from "./mutants/diffusionLoss.js"
import { ddimMutants, ddpmMutants, guideMutants, respacingMutants, slerpMutants } from "./mutants/diffusionSteps.js"
import {
  cosineRampMutants,
  dvaeLossMutants,
  gumbelSoftmaxMutants,
  logitLaplaceMutants,
  pixelMutants,
  uniformKlMutants,
} from "./mutants/dvae.js"
import { dvaeCoderMutants } from "./mutants/dvaeCoder.js"
import { gaeMutants } from "./mutants/gae.js"
import { gradCacheMutants } from "./mutants/gradCache.js"
import { imageAttentionMutants } from "./mutants/imageAttention.js"
import { imageSamplerMutants } from "./mutants/imageSampler.js"
import {
  comingMutants,
  differenceMutants,
  directionMutants,
  distanceMutants,
  magnitudeMutants,
  runningMutants,
  softmaxMutants,
} from "./mutants/kit.js"
import { adaptiveKlMutants, entropyMutants, klEstimateMutants, klMutants } from "./mutants/kl.js"
import { attentionMutants, causalAttentionMutants, layerNormMutants } from "./mutants/layers.js"
import { logProbsMutants } from "./mutants/logProbs.js"
import {
  interpolateAtMutants,
  interpolationMutants,
  textDiffAtMutants,
  textDiffMutants,
} from "./mutants/manipulations.js"
import { maskMutants } from "./mutants/masks.js"
import { gptMutants, rewardMutants, textAndImageMutants } from "./mutants/models.js"
import type { MutantSet } from "./mutants/mutantSet.js"
import { scheduleMutants } from "./mutants/noiseSchedule.js"
import { dualClipMutants, policyLossMutants, ptxMutants, valueLossMutants } from "./mutants/ppo.js"
import { convertMutants, errorWeightMutants, posteriorMutants, varianceMutants } from "./mutants/prediction.js"
import { priorMutants } from "./mutants/prior.js"
import {
  bucketMutants,
  candidateMutants,
  codeLossMutants,
  componentMutants,
  priorLossMutants,
} from "./mutants/priors.js"
import { rankingMutants } from "./mutants/ranking.js"
import { rerankMutants } from "./mutants/rerank.js"
import { residualMutants } from "./mutants/residual.js"
import { tokenRewardsMutants } from "./mutants/rewards.js"
import { samplingMutants } from "./mutants/sampling.js"
import { maskedSparseLossMutants, sparseLossMutants } from "./mutants/sparse.js"
import { sparseMaskMutants } from "./mutants/sparseMask.js"
import { sparseModelMutants } from "./mutants/sparseModel.js"
import { textEncoderMutants } from "./mutants/textEncoder.js"
import { adamMutants, averageMutants, learningRateMutants } from "./mutants/training.js"
import { unetMutants } from "./mutants/unet.js"
import { rescaleMutants, whitenMutants } from "./mutants/whiten.js"
import { classifyMutants, ensembleMutants } from "./mutants/zeroShot.js"

export const mutantSets: ReadonlyArray<MutantSet> = [
  softmaxMutants,
  distanceMutants,
  differenceMutants,
  directionMutants,
  magnitudeMutants,
  runningMutants,
  comingMutants,
  maskMutants,
  crossEntropyMutants,
  logProbsMutants,
  rankingMutants,
  tokenRewardsMutants,
  gaeMutants,
  whitenMutants,
  rescaleMutants,
  policyLossMutants,
  dualClipMutants,
  valueLossMutants,
  ptxMutants,
  klMutants,
  klEstimateMutants,
  entropyMutants,
  adaptiveKlMutants,
  sparseLossMutants,
  layerNormMutants,
  attentionMutants,
  causalAttentionMutants,
  maskedSparseLossMutants,
  gptMutants,
  rewardMutants,
  textAndImageMutants,
  samplingMutants,
  sparseMaskMutants,
  sparseModelMutants,
  imageSamplerMutants,
  clipTokenizerMutants,
  vitMutants,
  clipTextMutants,
  resNetMutants,
  attentionPoolMutants,
  halveMutants,
  matchingMutants,
  contrastiveMutants,
  gradCacheMutants,
  ensembleMutants,
  classifyMutants,
  rerankMutants,
  logitLaplaceMutants,
  uniformKlMutants,
  gumbelSoftmaxMutants,
  pixelMutants,
  cosineRampMutants,
  dvaeLossMutants,
  dvaeCoderMutants,
  scheduleMutants,
  convertMutants,
  errorWeightMutants,
  posteriorMutants,
  varianceMutants,
  normalKlMutants,
  discretisedMutants,
  diffusionLossMutants,
  ddpmMutants,
  ddimMutants,
  guideMutants,
  respacingMutants,
  slerpMutants,
  blurMutants,
  resizeMutants,
  jpegMutants,
  degradeMutants,
  residualMutants,
  imageAttentionMutants,
  textEncoderMutants,
  unetMutants,
  decoderMutants,
  priorMutants,
  componentMutants,
  bucketMutants,
  candidateMutants,
  priorLossMutants,
  codeLossMutants,
  codeSamplerMutants,
  textDiffMutants,
  textDiffAtMutants,
  interpolationMutants,
  interpolateAtMutants,
  adamMutants,
  learningRateMutants,
  averageMutants,
]

/** Laws of the losses, for any implementation of them. Import them from `@millrace/models/laws`. */

export { type AdaptiveKlOf, adaptiveKlLaws } from "./adaptiveKlLaws.js"
export { type ContrastiveLossOf, contrastiveLaws, type MatchingLossOf, matchingLaws } from "./contrastiveLaws.js"
export { cosineRampLaws, type RampOf } from "./cosineRampLaws.js"
export { crossEntropyLaws, type LanguageLoss, texts } from "./crossEntropyLaws.js"
export {
  eachOf,
  type NoisyExample,
  noisyExamples,
  noisyOf,
  rowsOf,
  scheduleConfigs,
  timesOf,
  velocityOf,
} from "./diffusionExamples.js"
export { type DiffusionLossOf, diffusionLossLaws } from "./diffusionLossLaws.js"
export { type AncestralStepOf, type DdimSteps, ddimLaws, ddpmLaws } from "./diffusionStepLaws.js"
export { type DualClipOf, dualClipLaws } from "./dualClipLaws.js"
export { dvaeLossLaws, type EvidenceBoundOf } from "./dvaeLossLaws.js"
export { type Entropy, entropyLaws } from "./entropyLaws.js"
export { type Gae, gaeLaws, rollouts } from "./gaeLaws.js"
export { type GuideOf, guideLaws } from "./guidanceLaws.js"
export { gumbelSoftmaxLaws, type RelaxOf } from "./gumbelSoftmaxLaws.js"
export { type Interpolate, type InterpolateAt, interpolationAtLaws, interpolationLaws } from "./interpolationLaws.js"
export { type ExactKl, type KlEstimate, klEstimateLaws, klLaws } from "./klLaws.js"
export { logitLaplaceLaws, type SurpriseOf } from "./logitLaplaceLaws.js"
export { type LogProbsOf, logProbsLaws } from "./logProbsLaws.js"
export { causalModelLaws, maskedModelLaws, scoreModelLaws, textAndImageLaws } from "./modelLaws.js"
export { type DiscretisedOf, discretisedLaws, type NormalKlOf, normalKlLaws } from "./normalLaws.js"
export { type PixelMapOf, pixelLaws } from "./pixelLaws.js"
export { awayFromKinks, type PolicyLossOf, policyLossLaws, steps } from "./policyLossLaws.js"
export {
  type ConvertPrediction,
  convertLaws,
  type ErrorWeightsOf,
  errorWeightLaws,
  type LearnedVarianceOf,
  posteriorLaws,
  varianceLaws,
} from "./predictionLaws.js"
export {
  type BucketsOf,
  bucketLaws,
  type ComponentsOf,
  candidateLaws,
  codeLossLaws,
  componentLaws,
  priorLossLaws,
} from "./priorLaws.js"
export { type PtxLossOf, ptxLaws } from "./ptxLaws.js"
export { answerMask, type RankingLoss, rankingLaws } from "./rankingLaws.js"
export {
  discretisedReference as discretisedNormalReference,
  klReference as normalKlReference,
} from "./reference/diffusion.js"
export { type RerankOf, rerankLaws } from "./rerankLaws.js"
export { type RespacingOf, respacingLaws } from "./respacingLaws.js"
export { type Sampling, samplingLaws } from "./samplingLaws.js"
export { type NoiseScheduleOf, scheduleLaws } from "./scheduleLaws.js"
export { type SlerpOf, slerpLaws } from "./slerpLaws.js"
export { captioned, type SparseLossOf, sparseLossLaws } from "./sparseLossLaws.js"
export { type TextDiff, type TextDiffAt, textDiffAtLaws, textDiffLaws } from "./textDiffLaws.js"
export { answers, type TokenRewardsOf, tokenRewardsLaws } from "./tokenRewardsLaws.js"
export { type UniformKlOf, uniformKlLaws } from "./uniformKlLaws.js"
export { estimates, type ValueLossOf, valueLossLaws } from "./valueLossLaws.js"
export { spreadOut, type Whiten, whitenLaws } from "./whitenLaws.js"
export { type ClassifyOf, classifyLaws, type EnsembleOf, ensembleLaws } from "./zeroShotLaws.js"

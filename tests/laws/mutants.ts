/** Every set of laws with the mutants that it kills. A new set is one line. */
import { codeSamplerMutants } from "./mutants/codeSampler.js"
import { crossEntropyMutants } from "./mutants/crossEntropy.js"
import { gaeMutants } from "./mutants/gae.js"
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
import { logProbsMutants } from "./mutants/logProbs.js"
import { interpolationMutants, textDiffMutants } from "./mutants/manipulations.js"
import { maskMutants } from "./mutants/masks.js"
import { gptMutants, rewardMutants, textAndImageMutants } from "./mutants/models.js"
import type { MutantSet } from "./mutants/mutantSet.js"
import { dualClipMutants, policyLossMutants, ptxMutants, valueLossMutants } from "./mutants/ppo.js"
import { rankingMutants } from "./mutants/ranking.js"
import { tokenRewardsMutants } from "./mutants/rewards.js"
import { samplingMutants } from "./mutants/sampling.js"
import { sparseLossMutants } from "./mutants/sparse.js"
import { rescaleMutants, whitenMutants } from "./mutants/whiten.js"

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
  gptMutants,
  rewardMutants,
  textAndImageMutants,
  samplingMutants,
  codeSamplerMutants,
  textDiffMutants,
  interpolationMutants,
]

/** Laws of the losses, for any implementation of them. Import them from `@millrace/models/laws`. */

export { crossEntropyLaws, type LanguageLoss, texts } from "./crossEntropyLaws.js"
export { type Gae, gaeLaws, rollouts } from "./gaeLaws.js"
export { type ExactKl, type KlEstimate, klEstimateLaws, klLaws } from "./klLaws.js"
export { awayFromKinks, type PolicyLossOf, policyLossLaws, steps } from "./policyLossLaws.js"
export { answerMask, type RankingLoss, rankingLaws } from "./rankingLaws.js"
export { estimates, type ValueLossOf, valueLossLaws } from "./valueLossLaws.js"

/** The public names of the laws, in reading order. Import them from `@millrace/core/laws`: the core itself loads none. */

export {
  distributions,
  embeddings,
  images,
  logits,
  logProbs,
  masks,
  numbers,
  rankings,
  tokens,
} from "./arbitraries.js"
export { arithmeticOf } from "./arithmetic.js"
export { causal } from "./causal.js"
export { brokenLaws, checkLaws, lawsOf, showCounterexample } from "./checkLaws.js"
export { expectClose, expectSame, expectThat, type Tolerance, values } from "./close.js"
export { deterministic, honestPorts, leavesNothing } from "./conduct.js"
export { convex, idempotent, linear, monotone } from "./curve.js"
export { lawRuns, lawSeed } from "./defaults.js"
export {
  bool,
  distribution,
  float,
  gradient,
  grid,
  ids,
  logSoftmax,
  mask,
  real,
  rightPadded,
  rows,
  size,
  strict,
} from "./examples.js"
export { expectGradient, finiteDifference } from "./finiteDifference.js"
export { gradientMatchesFiniteDifferences, gradientSumsToZero } from "./gradients.js"
export { homogeneous, scaleInvariant, shiftInvariant } from "./invariance.js"
export { type Counterexample, type Law, type LawOptions, law, type Trial } from "./law.js"
export { maskedNeverLeaks } from "./masked.js"
export { type MaskedLoss, type MaskLawsOptions, maskLaws, weighed } from "./maskLaws.js"
export { type LawsOfNode, nodeLaws, subjectOf, universalLaws } from "./nodeLaws.js"
export { paddingInvariant } from "./padding.js"
export { batchEquivariant, permutationEquivariant, permutationInvariant } from "./permutation.js"
export { bounded, finite, nonNegative, sumsTo, zeroIffEqual } from "./range.js"
export {
  type Example,
  examplesOf,
  type NodeLaws,
  resultsOf,
  type SubjectLaw,
  type SubjectLaws,
  type TensorSubject,
} from "./subject.js"
export { antisymmetric, even, odd, symmetric } from "./symmetry.js"

/** Distributions of the counter-based generator: each draw is a function of its key and its index. */
export { bernoulli } from "./bernoulli.js"
export { categorical } from "./categorical.js"
export { gumbel } from "./gumbel.js"
export { integers } from "./integers.js"
export { normal, normalQuantile } from "./normal.js"
export { choose, permutation, shuffled } from "./permutation.js"
export { draw } from "./threefry.js"
export { type Float32Tensor, uniform } from "./uniform.js"

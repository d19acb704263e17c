import type { Init } from "@millrace/core/definitions"

/**
 * U(−1/√n, 1/√n) for n inputs: how PyTorch starts the weights and biases of linear maps and convolutions that nothing
 * else starts.
 */
export const fanIn = (inputs: number): Init => ({
  kind: "uniform",
  low: -1 / Math.sqrt(inputs),
  high: 1 / Math.sqrt(inputs),
})

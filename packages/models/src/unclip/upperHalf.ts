import { BadData, float32, type HostTensor } from "@millrace/core"

/**
 * The upper half of dot products, z_image · z_text of the training data: what the autoregressive prior is given at
 * sampling is one of these, so that what it makes lies closer to its caption than most.
 * @param dots  float32  n
 * @returns     float32  those that are no less than the median, in order
 * @throws BadData  none, or one that is no number
 * @source Ramesh et al. 2022, section 2.2
 */
export const upperHalf = (dots: HostTensor): HostTensor => {
  const sorted = Float32Array.from(dots.data).sort()
  if (sorted.length === 0 || sorted.some(Number.isNaN)) {
    throw new BadData({
      where: "upperHalf",
      expected: "dot products",
      received: sorted.length === 0 ? "none" : "NaN among them",
      fix: "compute them from embeddings of unit norm",
    })
  }
  const upper = sorted.slice(sorted.length >> 1)
  return float32([upper.length], upper)
}

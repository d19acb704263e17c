/** How good a discrete VAE's codes are. */

export interface CodebookUse {
  /** Of the codes, those that occur at all. */
  readonly share: number
  /** exp of the entropy of how often each occurs: as many codes as if all were used alike. */
  readonly perplexity: number
}

/**
 * How much of a codebook is in use.
 * @param codes  each in 0 … vocab − 1
 * @law   perplexity is at least 1 and at most the number of codes that occur
 */
export const codebookUse = (codes: ArrayLike<number>, vocab: number): CodebookUse => {
  const counts = new Float64Array(vocab)
  for (let i = 0; i < codes.length; i++) counts[codes[i]!]!++
  let [used, entropy] = [0, 0]
  for (const count of counts) {
    if (count === 0) continue
    used++
    const p = count / codes.length
    entropy -= p * Math.log(p)
  }
  return { share: used / vocab, perplexity: Math.exp(entropy) }
}

/** Peak signal-to-noise ratio of numbers in [0, 1] from their mean squared error, dB. */
export const peakSignalToNoise = (squaredError: number): number => -10 * Math.log10(squaredError)

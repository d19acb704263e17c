/** The formulas of the dVAE's loss in plain float64 loops. */
import { logSoftmax, rows } from "@millrace/core/laws"

const sum = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0)

/** −ln of the density of x = sigmoid(l), l of a Laplace distribution. */
export const logitLaplaceReference = (x: number, mean: number, logWidth: number): number => {
  const width = Math.exp(logWidth)
  const density = Math.exp(-Math.abs(Math.log(x / (1 - x)) - mean) / width) / (2 * width)
  // The density of l, by the slope of the logit.
  return -Math.log(density / (x * (1 - x)))
}

/** Σ q ln(q / (1 / k)). */
export const uniformKlReference = (logits: ReadonlyArray<number>): number =>
  sum(logSoftmax(logits).map((logQ) => Math.exp(logQ) * (logQ + Math.log(logits.length))))

export const gumbelSoftmaxReference = (
  logits: ReadonlyArray<number>,
  noise: ReadonlyArray<number>,
  temperature: number,
): ReadonlyArray<number> => logSoftmax(logits.map((l, i) => (l + noise[i]!) / temperature)).map(Math.exp)

/** Of b images: lists of b · y · x · c numbers, and b · s rows of k logits. */
export const dvaeLossReference = (
  sizes: { readonly b: number; readonly k: number },
  image: ReadonlyArray<number>,
  mean: ReadonlyArray<number>,
  logWidth: ReadonlyArray<number>,
  logits: ReadonlyArray<number>,
  beta: number,
): number => {
  const surprise = sum(image.map((pixel, i) => logitLaplaceReference(0.8 * pixel + 0.1, mean[i]!, logWidth[i]!)))
  const kl = sum(rows(logits, sizes.k).map(uniformKlReference))
  return (surprise + beta * kl) / image.length
}

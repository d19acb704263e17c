/** The few statistics that an evaluation states. */

export interface Interval {
  readonly mean: number
  /** Ends of the 95 % interval of the mean, by the normal approximation. */
  readonly low: number
  readonly high: number
}

/** Mean and 95 % interval: mean ± 1.96 · s / √n, s with n − 1. */
export const interval = (values: ReadonlyArray<number>): Interval => {
  const n = values.length
  const mean = values.reduce((sum, v) => sum + v, 0) / n
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, n - 1)
  const half = 1.96 * Math.sqrt(variance / n)
  return { mean, low: mean - half, high: mean + half }
}

/**
 * Of the pairs that `truth` decides, the share that `given` orders alike; equal `given` counts one half.
 * @param rows  for each prompt: given scores, true scores
 */
export const pairAccuracy = (
  rows: ReadonlyArray<readonly [given: ReadonlyArray<number>, truth: ReadonlyArray<number>]>,
): { readonly accuracy: number; readonly pairs: number } => {
  let [pairs, right] = [0, 0]
  for (const [given, truth] of rows) {
    for (let i = 0; i < truth.length; i++) {
      for (let j = 0; j < i; j++) {
        const sign = Math.sign(truth[i]! - truth[j]!)
        if (sign === 0) continue
        pairs++
        right += (1 + sign * Math.sign(given[i]! - given[j]!)) / 2
      }
    }
  }
  return { accuracy: pairs === 0 ? 0 : right / pairs, pairs }
}

/** A number for a table: so many decimals, and no −0. */
export const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals)) + 0

/** `0.31 [0.25, 0.37]` */
export const shown = ({ mean, low, high }: Interval, decimals = 3): string =>
  `${mean.toFixed(decimals)} [${low.toFixed(decimals)}, ${high.toFixed(decimals)}]`

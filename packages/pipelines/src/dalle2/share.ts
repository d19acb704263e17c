/** A share of trials, with its interval. */
import type { Interval } from "../instructgpt/statistics.js"

/**
 * The share of trials that came out, and its 95 % interval.
 * @source Wilson 1927: it holds for shares near 0 and 1 too, where the normal approximation does not
 */
export const share = (hits: number, trials: number): Interval => {
  const z2 = 1.96 ** 2
  const p = hits / trials
  const middle = (p + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (1.96 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials ** 2))) / (1 + z2 / trials)
  return { mean: p, low: Math.min(p, Math.max(0, middle - half)), high: Math.max(p, Math.min(1, middle + half)) }
}

/** `0.31 [0.25, 0.37]` */
export const shown = ({ mean, low, high }: Interval, decimals = 3): string =>
  `${mean.toFixed(decimals)} [${low.toFixed(decimals)}, ${high.toFixed(decimals)}]`

/** A share of trials, with its interval. */
import type { Interval } from "./statistics.js"

/**
 * The share of trials that came out, and its 95 % interval: of no trials 0, and anything.
 * @source Wilson 1927: it holds for shares near 0 and 1 too, where the normal approximation does not
 */
export const share = (hits: number, trials: number): Interval => {
  if (trials === 0) return { mean: 0, low: 0, high: 1 }
  const z2 = 1.96 ** 2
  const p = hits / trials
  const middle = (p + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (1.96 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials ** 2))) / (1 + z2 / trials)
  return { mean: p, low: Math.min(p, Math.max(0, middle - half)), high: Math.max(p, Math.min(1, middle + half)) }
}

/** `12.3 % [10.1, 14.9]` */
export const shownShare = ({ mean, low, high }: Interval): string =>
  `${(100 * mean).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`

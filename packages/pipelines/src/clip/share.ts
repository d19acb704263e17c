/** A share of successes with its interval. */

export interface Share {
  readonly share: number
  /** Ends of the 95 % interval. */
  readonly low: number
  readonly high: number
}

/**
 * The share of so many of n, with Wilson's interval, which stays within 0 and 1 and holds for few successes too.
 * @source Wilson 1927
 */
export const shareOf = (successes: number, n: number): Share => {
  if (n === 0) return { share: 0, low: 0, high: 1 }
  const z = 1.96
  const p = successes / n
  const middle = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))
  return { share: p, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** `12.3 % [10.1, 14.9]` */
export const showShare = ({ share, low, high }: Share): string =>
  `${(100 * share).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`

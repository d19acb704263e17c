/** The median of durations, and between what the middle half of them lies. */

export interface Summary {
  readonly median: number
  readonly lowerQuartile: number
  readonly upperQuartile: number
  readonly rounds: number
}

/** The value below which a share of the sorted numbers lies, between neighbours in proportion. */
const quantile = (sorted: ReadonlyArray<number>, share: number): number => {
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return below + (above - below) * (at - Math.floor(at))
}

/** @param values at least one */
export const summarise = (values: ReadonlyArray<number>): Summary => {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    rounds: sorted.length,
  }
}

import type { Rows } from "./masked.js"

/** Schulman et al. 2016, as the recursion from the end of each sequence. */
export const gaeReference = (
  rewards: Rows,
  values: Rows,
  mask: Rows,
  { discount, lambda }: { discount: number; lambda: number },
): { advantages: Array<Array<number>>; returns: Array<Array<number>> } => {
  const advantages = rewards.map((row) => row.map(() => 0))
  const returns = rewards.map((row) => row.map(() => 0))
  rewards.forEach((row, b) => {
    let [nextValue, nextAdvantage] = [0, 0]
    for (let t = row.length - 1; t >= 0; t--) {
      if (mask[b]![t] !== 1) continue
      const delta = row[t]! + discount * nextValue - values[b]![t]!
      nextAdvantage = delta + discount * lambda * nextAdvantage
      nextValue = values[b]![t]!
      advantages[b]![t] = nextAdvantage
      returns[b]![t] = nextAdvantage + nextValue
    }
  })
  return { advantages, returns }
}

import { maskedMeanReference, type Rows } from "./masked.js"

type Normaliser = "token-mean" | "sequence-mean" | "sequence-sum"

const zip = (f: (...x: Array<number>) => number, ...grids: Array<Rows>): Array<Array<number>> =>
  grids[0]!.map((row, b) => row.map((_, t) => f(...grids.map((grid) => grid[b]![t]!))))

const clip = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))

/** Schulman et al. 2017, eq. 7, as a maximisation of the smaller of two objectives, negated. */
export const policyReference = (
  logProb: Rows,
  oldLogProb: Rows,
  advantages: Rows,
  mask: Rows,
  { low, high, dualClip, normaliser }: { low: number; high: number; dualClip?: number; normaliser: Normaliser },
): number => {
  const objective = (log: number, old: number, advantage: number): number => {
    const ratio = Math.exp(log - old)
    const smaller = Math.min(ratio * advantage, clip(ratio, 1 - low, 1 + high) * advantage)
    return dualClip !== undefined && advantage < 0 ? Math.max(smaller, dualClip * advantage) : smaller
  }
  return -maskedMeanReference(zip(objective, logProb, oldLogProb, advantages), mask, normaliser)
}

export const valueReference = (
  values: Rows,
  oldValues: Rows,
  returns: Rows,
  mask: Rows,
  { range, normaliser }: { range?: number; normaliser: Normaliser },
): number => {
  const error = (value: number, old: number, target: number): number => {
    const plain = (value - target) ** 2
    if (range === undefined) return plain / 2
    return Math.max(plain, (clip(value, old - range, old + range) - target) ** 2) / 2
  }
  return maskedMeanReference(zip(error, values, oldValues, returns), mask, normaliser)
}

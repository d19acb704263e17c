/** A number that goes from one value to another along half a cosine, and stays. */
export interface CosineRamp {
  readonly from: number
  readonly to: number
  /** Updates after which it has arrived; at least 1. */
  readonly updates: number
}

/**
 * The value at an update: `from` before the first, `to` after `updates` of them, both exactly.
 * @param update  updates done before this one
 * @law    is monotone, and halfway at half of the updates
 * @source Ramesh et al. 2021, appendix A.2
 */
export const cosineRamp = ({ from, to, updates }: CosineRamp, update: number): number => {
  if (update <= 0) return from
  if (update >= updates) return to
  return from + ((to - from) * (1 - Math.cos((Math.PI * update) / updates))) / 2
}

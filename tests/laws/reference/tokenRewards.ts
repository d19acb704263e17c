import { estimateReference } from "./kl.js"
import type { Rows } from "./masked.js"

export const tokenRewardsReference = (
  score: ReadonlyArray<number>,
  logProb: Rows,
  reference: Rows,
  mask: Rows,
  beta: number,
  { placement, estimator }: { placement: "last-token" | "fixed-end" | "after-last"; estimator: "k1" | "k2" | "k3" },
): Array<Array<number>> =>
  logProb.map((row, b) => {
    const rewards = row.map((log, t) =>
      mask[b]![t] === 1 ? -beta * estimateReference(estimator, log, reference[b]![t]!) : 0,
    )
    const [last, end] = [mask[b]!.lastIndexOf(1), row.length - 1]
    const place = { "last-token": last, "fixed-end": end, "after-last": last < 0 ? -1 : Math.min(last + 1, end) }[
      placement
    ]
    if (place >= 0) rewards[place]! += score[b]!
    return rewards
  })

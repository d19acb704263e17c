/** How the score of the best of n images grows with n, and beside it what the score is not: how often the judge finds all right. */
import type { Table } from "../artifacts/evaluation.js"
import { share } from "../share.js"
import { type Interval, interval, rounded, shown } from "../statistics.js"
import type { Best } from "./bestOf.js"

export interface CurvePoint {
  readonly n: number
  /** Of the best of n. */
  readonly score: Interval
  /** How much more that is than the score of the best of the n before it, caption by caption. */
  readonly rise?: Interval
  /** How often the best shows all that the caption says; without captions that say what can be judged none. */
  readonly right?: Interval
}

/**
 * A point for each n.
 * @param bests  of each caption, fewest first
 * @param right  of each caption, whether the best of each n shows all that is said; undefined where that is not asked
 */
export const curveOf = (
  bests: ReadonlyArray<ReadonlyArray<Best>>,
  right: ReadonlyArray<ReadonlyArray<boolean | undefined>>,
): ReadonlyArray<CurvePoint> =>
  (bests[0] ?? []).map(({ n }, i) => {
    const judged = right.flatMap((row) => row[i] ?? [])
    return {
      n,
      score: interval(bests.map((row) => row[i]!.score)),
      ...(i === 0 ? {} : { rise: interval(bests.map((row) => row[i]!.score - row[i - 1]!.score)) }),
      ...(judged.length === 0 ? {} : { right: share(judged.filter(Boolean).length, judged.length) }),
    }
  })

const ends = ({ low, high }: Interval): string => `${low.toFixed(3)} to ${high.toFixed(3)}`

export const curveTable = (group: string, captions: number, scorer: string, curve: ReadonlyArray<CurvePoint>) => {
  const [score, right] = [`score, ${scorer}`, "share all right by the judge"]
  const isJudged = curve.some((point) => point.right !== undefined)
  const table: Table = {
    title: `The best of n images for ${captions} captions: ${group}`,
    columns: ["n", score, "its 95 %", "rise [95 %]", ...(isJudged ? [right, "95 % of the share"] : [])],
    rows: curve.map((point) => [
      point.n,
      rounded(point.score.mean, 4),
      ends(point.score),
      point.rise === undefined ? "" : shown(point.rise),
      ...(point.right === undefined ? [] : [rounded(point.right.mean, 3), ends(point.right)]),
    ]),
  }
  return { table, lines: { x: "n", y: isJudged ? [score, right] : [score] } }
}

/** `the score rises at 4 of 4 doublings of n, at 3 by more than chance` */
export const riseText = (curve: ReadonlyArray<CurvePoint>): string => {
  const rises = curve.flatMap(({ rise }) => rise ?? [])
  const up = rises.filter(({ mean }) => mean > 0).length
  const surely = rises.filter(({ low }) => low > 0).length
  return `the score of the best of n rises at ${up} of ${rises.length} steps of n, at ${surely} with an interval above 0`
}

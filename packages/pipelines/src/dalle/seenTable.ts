/** What the judge sees in the best of n images. */
import type { Table } from "../artifacts/evaluation.js"
import { share, shownShare } from "../share.js"

/** The answers to a question: for each caption that it is asked of, whether the best of each n is right, fewest first. */
export interface Answers {
  readonly question: string
  readonly right: ReadonlyArray<ReadonlyArray<boolean>>
}

/** How many captions the best of the i-th n is right for. */
export const hits = ({ right }: Answers, i: number): number => right.filter((row) => row[i]).length

export const seenTable = (group: string, sizes: ReadonlyArray<number>, answers: ReadonlyArray<Answers>): Table => ({
  title: `What the judge sees in the best of n: ${group}`,
  columns: ["right", "captions", ...sizes.slice(0, -1).map((n) => `of ${n}`), `of ${sizes.at(-1)} [95 %]`],
  rows: answers.map((each) => [
    each.question,
    each.right.length,
    ...sizes.map((_, i) => {
      const of = share(hits(each, i), each.right.length)
      return i === sizes.length - 1 ? shownShare(of) : `${(100 * of.mean).toFixed(1)} %`
    }),
  ]),
})

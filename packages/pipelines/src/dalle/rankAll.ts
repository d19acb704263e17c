/** Candidates ranked by any score, and shown so: what a reranker of your own is made of. */

import type { Stage } from "@millrace/core"
import { Effect } from "effect"
import type { Candidates, Drawn, RankedCandidates, RankedDrawn } from "../artifacts/candidates.js"
import { showImages } from "../images/showImages.js"
import { partsOf, ranking } from "./bestOf.js"

/**
 * Ranks the candidates of every caption.
 * @param scorer  what gives the scores, and their unit: "CLIP, cosine"
 * @param score   a score for each candidate of a caption, those of sets of fewer among them; more is better
 * @param shown   captions of each group whose candidates are shown, best first
 */
export const rankAll = <E, R>(
  { size, groups }: Candidates,
  scorer: string,
  score: (drawn: Drawn) => Effect.Effect<ReadonlyArray<number>, E, R>,
  shown: number,
): Effect.Effect<RankedCandidates, E, R | Stage> =>
  Effect.gen(function* () {
    const ranked: Record<string, ReadonlyArray<RankedDrawn>> = {}
    for (const [group, rows] of Object.entries(groups)) {
      const scored: Array<RankedDrawn> = []
      for (const row of rows) {
        const candidates = [...row.candidates, ...row.fewer.flat()]
        const [scores, ...fewerScores] = partsOf(yield* score({ request: row.request, candidates, fewer: [] }), [
          row.candidates.length,
          ...row.fewer.map((set) => set.length),
        ])
        scored.push({ ...row, scores: scores!, fewerScores })
      }
      ranked[group] = scored
      const some = scored.slice(0, shown)
      if (some.length === 0) continue
      yield* showImages({
        title: `Candidates for captions: ${group}`,
        size: [size, size],
        columns: some[0]!.candidates.length,
        tiles: some.flatMap(({ candidates, scores }) =>
          ranking(scores).map((at) => ({ pixels: candidates[at]!.pixels, text: scores[at]!.toFixed(3) })),
        ),
        rowNames: some.map(({ request }) => request.caption),
      })
    }
    return { size, scorer, groups: ranked }
  })

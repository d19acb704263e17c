/** Stage: candidates ranked by CLIP's score of image and caption. A reranker of your own takes its place. */
import { artifact, defineStageNode } from "@millrace/core"
import { Effect, Schema } from "effect"
import { candidatesKind, rankedCandidatesKind } from "../artifacts/candidates.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { clipEmbedder } from "../clip/embedder.js"
import { CountOrZero } from "../ranges.js"
import { cosineScores } from "./cosineScores.js"
import { rankAll } from "./rankAll.js"

export const rerankStage = defineStageNode({
  type: "dalle.rerank",
  version: 2,
  source: "Ramesh et al. 2021, section 2.6",
  config: Schema.Struct({
    /** Captions of each group whose candidates are shown. */
    shown: CountOrZero,
  }),
  ports: {
    in: { candidates: artifact(candidatesKind), clip: artifact(clipModelKind) },
    out: artifact(rankedCandidatesKind),
  },
  run: ({ shown }, { candidates, clip }) =>
    Effect.gen(function* () {
      const embed = yield* clipEmbedder(clip)
      return yield* rankAll(
        candidates,
        "CLIP, cosine",
        ({ request, candidates }) =>
          cosineScores(
            embed,
            candidates.map(({ pixels }) => pixels),
            candidates.map(() => request.caption),
          ),
        shown,
      )
    }),
})

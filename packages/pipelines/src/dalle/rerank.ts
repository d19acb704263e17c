/** Stage: candidates ranked by CLIP's score of image and caption. A reranker of your own takes its place. */
import { artifact, defineStageNode } from "@millrace/core"
import { Effect, Schema } from "effect"
import { candidatesKind, rankedCandidatesKind } from "../artifacts/candidates.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { clipEmbedder } from "../clip/embedder.js"
import { CountOrZero } from "../ranges.js"
import { rankAll } from "./rankAll.js"

export const rerankStage = defineStageNode({
  type: "dalle.rerank",
  version: 1,
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
        (drawn) =>
          Effect.gen(function* () {
            const images = yield* embed.images(drawn.candidates.map(({ pixels }) => pixels))
            const text = yield* embed.texts([drawn.request.caption])
            return drawn.candidates.map((_, i) => {
              let cosine = 0
              for (let j = 0; j < embed.joint; j++) cosine += images[i * embed.joint + j]! * text[j]!
              return cosine
            })
          }),
        shown,
      )
    }),
})

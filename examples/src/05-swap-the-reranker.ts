/**
 * DALL·E with another reranker: how probable the prior itself finds an image takes the place of CLIP's score.
 *
 *   npm run example 05      about half a minute; the sprites of the scenes, 74 MB, are fetched once
 *
 * What an image's codes are worth to the model that drew them says little about whether the image fits its caption: the
 * judge's share of right pictures need not rise with n as the score does. At this size, which learns next to nothing,
 * neither is right; with `dallePresets.small` in place of `tiny` CLIP's share rises.
 */
import { fileURLToPath } from "node:url"
import { artifact, defineStageNode, Engines, recordRun, replaceNode, runEvents } from "@millrace/core"
import {
  candidatesKind,
  dalle,
  dallePresets,
  type ImagesNode,
  rankAll,
  rankedCandidatesKind,
} from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { scenes } from "./data/scenes.js"

/** Ranks by ln p(codes | caption): it needs no CLIP. */
const byLikelihood = defineStageNode({
  type: "example.by-likelihood",
  version: 1,
  config: Schema.Struct({ shown: Schema.Int }),
  ports: { in: { candidates: artifact(candidatesKind) }, out: artifact(rankedCandidatesKind) },
  run: ({ shown }, { candidates }) =>
    rankAll(candidates, "prior, nat", (drawn) => Effect.succeed(drawn.candidates.map(({ logProb }) => logProb)), shown),
})

const { tiny } = dallePresets
const size = tiny.clip.model.image.size

/** The same graph: `rerank` comes from the prior, every other node and wire stays. */
export const reranked = (images: ImagesNode) => replaceNode(dalle(tiny, images), "rerank", byLikelihood({ shown: 2 }))

export const main = async (
  print: (line: string) => void = console.log,
  root = ".runs",
  images: ImagesNode = scenes({ size, train: 512, heldOut: 64, single: 0.5, background: "white" }),
): Promise<void> => {
  const graph = reranked(images)
  const events = runEvents()
  events.all.subscribe((event) => {
    if (event.type !== "stage.table" || event.curve?.x !== "n") return
    const { title, columns, rows, curve } = event
    print(title)
    for (const row of rows) {
      print(`  n ${row[0]}   ${curve.y.map((name) => `${name} ${row[columns.indexOf(name)]}`).join("   ")}`)
    }
  })
  print(`nodes: ${graph.nodes.map(({ name, node }) => `${name} (${node.type})`).join(", ")}`)
  const run = recordRun(graph, { seed: 1, root, events })
  await Effect.runPromise(run.pipe(Effect.provide(Engines.layer("onnx"))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

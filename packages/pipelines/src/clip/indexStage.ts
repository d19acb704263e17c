/** Stage: an index of embeddings over a data set. */
import { artifact, defineStageNode } from "@millrace/core"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingIndexKind, type IndexedImage } from "../artifacts/embeddingIndex.js"
import { clipEmbedder } from "./embedder.js"

/** Images in memory at a time. */
const PART = 256

export const clipIndexStage = defineStageNode({
  type: "clip.index",
  version: 1,
  config: Schema.Struct({
    /** Whose images are in it; a set that the data do not have adds none. */
    sets: Schema.NonEmptyArray(Schema.Literals(["train", "heldOut", "shifted"])),
  }),
  ports: {
    in: { clip: artifact(clipModelKind), images: artifact(captionedImagesKind) },
    out: artifact(embeddingIndexKind),
  },
  run: ({ sets }, { clip, images }) =>
    Effect.gen(function* () {
      const embedder = yield* clipEmbedder(clip)
      const { joint } = embedder
      const chosen = [...new Set(sets)].flatMap((name) => {
        const set = images[name]
        return set === undefined ? [] : [{ name, set }]
      })
      const features = new Float32Array(chosen.reduce((n, { set }) => n + set.count, 0) * joint)
      const indexed: Array<IndexedImage> = []
      for (const { name, set } of chosen) {
        for (let from = 0; from < set.count; from += PART) {
          const part = yield* set.read(Array.from({ length: Math.min(PART, set.count - from) }, (_, i) => from + i))
          features.set(yield* embedder.images(part.map(({ pixels }) => pixels)), indexed.length * joint)
          for (const [i, image] of part.entries()) {
            indexed.push({ set: name, index: from + i, name: image.name, caption: image.captions[0]! })
          }
        }
      }
      return { joint, features, images: indexed }
    }),
})

/** Search of an index by text or by image. */
import { artifact, defineStageNode, type EngineError, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { type CaptionedImage, captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { type EmbeddingIndex, embeddingIndexKind, type IndexedImage } from "../artifacts/embeddingIndex.js"
import { type Evaluation, evaluationKind } from "../artifacts/evaluation.js"
import { showImages, type Tile } from "../images/showImages.js"
import { Count, CountOrZero } from "../ranges.js"
import { type ClipEmbedder, clipEmbedder } from "./embedder.js"
import { cosinesOf, nearest } from "./ranks.js"

/** An image that was found, with its cosine to what it was looked for with. */
export interface Found {
  readonly image: IndexedImage
  readonly score: number
}

export interface ClipSearch {
  /** The k images nearest to a text, nearest first. */
  readonly byText: (text: string, k: number) => Effect.Effect<ReadonlyArray<Found>, EngineError>
  /** The k images nearest to an image of the model's size, y x c in bytes, nearest first. */
  readonly byImage: (pixels: Uint8Array, k: number) => Effect.Effect<ReadonlyArray<Found>, EngineError>
}

/**
 * Search of an index with the CLIP that it was made with.
 * @law  an image of the index is the nearest to itself, at cosine 1
 */
export const clipSearch = (
  { joint, features, images }: EmbeddingIndex,
  embedder: Pick<ClipEmbedder, "texts" | "images">,
): ClipSearch => {
  const find = (k: number) => (data: Float32Array) =>
    nearest(cosinesOf({ joint, data }, 0, { joint, data: features }), k).map(
      ({ row, score }): Found => ({ image: images[row]!, score }),
    )
  return {
    byText: (text, k) => Effect.map(embedder.texts([text]), find(k)),
    byImage: (pixels, k) => Effect.map(embedder.images([pixels]), find(k)),
  }
}

const tileOf = ({ pixels }: CaptionedImage, text: string): Tile => ({ pixels, text })

export const clipSearchStage = defineStageNode({
  type: "clip.search",
  version: 1,
  config: Schema.Struct({
    /** What is looked for. */
    texts: Schema.Array(Schema.String),
    /** Images of the held-out concepts that are looked for, by index. */
    heldOut: Schema.Array(CountOrZero),
    /** Images that are found for each. */
    k: Count,
  }),
  ports: {
    in: {
      clip: artifact(clipModelKind),
      index: artifact(embeddingIndexKind),
      images: artifact(captionedImagesKind),
    },
    out: artifact(evaluationKind),
  },
  run: ({ texts, heldOut, k }, { clip, index, images }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const search = clipSearch(index, yield* clipEmbedder(clip))
      const asked = yield* images.heldOut.read(heldOut.map((i) => i % images.heldOut.count))
      const blank = new Uint8Array(images.size ** 2 * 3).fill(255)
      const tiles: Array<Tile> = []
      const rows: Array<ReadonlyArray<string | number>> = []
      const found = [
        ...(yield* Effect.forEach(texts, (text) =>
          Effect.map(search.byText(text, k), (all) => ({ query: `"${text}"`, tile: { pixels: blank, text }, all })),
        )),
        ...(yield* Effect.forEach(asked, (image) =>
          Effect.map(search.byImage(image.pixels, k), (all) => {
            const query = `image of ${image.captions[0]}`
            return { query, tile: tileOf(image, query), all }
          }),
        )),
      ]
      for (const { query, tile, all } of found) {
        tiles.push(tile)
        for (const [place, { image, score }] of all.entries()) {
          const [read] = yield* images[image.set]!.read([image.index])
          tiles.push(tileOf(read!, `${image.caption} ${score.toFixed(2)}`))
          rows.push([query, place + 1, image.caption, image.set, Number(score.toFixed(3))])
        }
      }
      const columns = 1 + Math.min(k, index.images.length)
      const names = found.map(({ query }) => query)
      yield* showImages({ title: "search", size: [images.size, images.size], columns, tiles, rowNames: names })
      const table = {
        title: `The ${k} nearest of ${index.images.length} images`,
        columns: ["looked for", "place", "found", "set", "cosine"],
        rows,
      }
      yield* emit({ type: "stage.table", ...table })
      return {
        metrics: { images: index.images.length },
        tables: [table],
        samples: { columns: [], rows: [] },
      } satisfies Evaluation
    }),
})

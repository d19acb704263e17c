/** Images of a data set by their embeddings, to be searched by text or by image. */
import {
  artifactKind,
  BadData,
  encodeSafetensors,
  float32,
  jsonLinesFile,
  namedFiles,
  readTensors,
} from "@millrace/core"
import { Effect, Schema } from "effect"
import { CountOrZero } from "../ranges.js"

/** One image of an index. */
export interface IndexedImage {
  /** Which set it is of, and its index there. */
  readonly set: "train" | "heldOut" | "shifted"
  readonly index: number
  readonly name: string
  readonly caption: string
}

export interface EmbeddingIndex {
  /** The width of an embedding. */
  readonly joint: number
  /** Of length 1, in the order of the images. float32 n j */
  readonly features: Float32Array
  readonly images: ReadonlyArray<IndexedImage>
}

const rows = jsonLinesFile(
  Schema.Struct({
    set: Schema.Literals(["train", "heldOut", "shifted"]),
    index: CountOrZero,
    name: Schema.String,
    caption: Schema.String,
  }),
)

export const embeddingIndexKind = artifactKind(
  "embedding-index",
  ({ joint, features, images }: EmbeddingIndex) => ({
    "features.safetensors": encodeSafetensors({ features: float32([images.length, joint], features) }),
    "images.jsonl": rows.write(images),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "embedding-index", ["features.safetensors", "images.jsonl"])
      const images = yield* rows.read(found["images.jsonl"])
      const shape = [images.length, "joint"]
      const { tensors, sizes } = yield* readTensors(found["features.safetensors"], {
        features: { dtype: "float32", shape },
      })
      const joint = sizes.joint!
      if (joint > 0) return { joint, features: tensors.features!.data as Float32Array, images }
      return yield* new BadData({
        where: found["features.safetensors"].where,
        expected: "embeddings of one number or more",
        received: "none",
        fix: "give the file as it was written",
      })
    }),
)

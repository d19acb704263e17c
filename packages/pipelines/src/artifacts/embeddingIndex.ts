/** Images of a data set by their embeddings, to be searched by text or by image. */
import { artifactKind, canonicalJson, encodeSafetensors, float32 } from "@millrace/core"

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

export const embeddingIndexKind = artifactKind("embedding-index", ({ joint, features, images }: EmbeddingIndex) => ({
  "features.safetensors": encodeSafetensors({ features: float32([images.length, joint], features) }),
  "images.jsonl": new TextEncoder().encode(images.map((image) => `${canonicalJson(image)}\n`).join("")),
}))

/** CLIP's embeddings of images and of their captions, computed once: what unCLIP's networks are trained on. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensor, int32 } from "@millrace/core"

/** Embeddings of length 1 of some images of a set, and of all of their captions. */
export interface EmbeddedSet {
  /** Where each image is in its set.  n */
  readonly indices: Int32Array
  /** float32  n c */
  readonly image: HostTensor
  /** Captions, those of the first image first. */
  readonly captions: ReadonlyArray<string>
  /** float32  m c */
  readonly text: HostTensor
  /** Where each image's captions begin, and where the last one's end.  n + 1 */
  readonly first: Int32Array
}

export interface Embeddings {
  readonly train: EmbeddedSet
  readonly heldOut: EmbeddedSet
}

const filesOf = (name: string, { indices, image, captions, text, first }: EmbeddedSet) => ({
  [`${name}.safetensors`]: encodeSafetensors({
    indices: int32([indices.length], indices),
    image,
    text,
    first: int32([first.length], first),
  }),
  [`${name}.json`]: new TextEncoder().encode(canonicalJson(captions)),
})

export const embeddingsKind = artifactKind("embeddings", ({ train, heldOut }: Embeddings) => ({
  ...filesOf("train", train),
  ...filesOf("held-out", heldOut),
}))

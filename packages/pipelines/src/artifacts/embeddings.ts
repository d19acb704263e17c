/** CLIP's embeddings of images and of their captions, computed once: what unCLIP's networks are trained on. */
import {
  artifactKind,
  BadData,
  encodeSafetensors,
  type HostTensor,
  int32,
  jsonFile,
  type NamedBytes,
  namedFiles,
  readTensors,
} from "@millrace/core"
import { Effect, Schema } from "effect"

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

const captionsFile = jsonFile(Schema.Array(Schema.String))

const filesOf = (name: string, { indices, image, captions, text, first }: EmbeddedSet) => ({
  [`${name}.safetensors`]: encodeSafetensors({
    indices: int32([indices.length], indices),
    image,
    text,
    first: int32([first.length], first),
  }),
  [`${name}.json`]: captionsFile.write(captions),
})

const read = (tensorsFile: NamedBytes, textFile: NamedBytes): Effect.Effect<EmbeddedSet, BadData> =>
  Effect.gen(function* () {
    const captions = yield* captionsFile.read(textFile)
    const { tensors, sizes } = yield* readTensors(tensorsFile, {
      indices: { dtype: "int32", shape: ["n"] },
      image: { dtype: "float32", shape: ["n", "c"] },
      text: { dtype: "float32", shape: [captions.length, "c"] },
      first: { dtype: "int32", shape: ["n + 1"] },
    })
    const { image, text } = tensors
    const [indices, first] = [tensors.indices!.data as Int32Array, tensors.first!.data as Int32Array]
    const refuse = (name: string, expected: string, received: string) =>
      new BadData({
        where: `${tensorsFile.where} > ${name}`,
        expected,
        received,
        fix: "give the files of one artifact",
      })
    if (sizes.c === 0) return yield* refuse("image", "embeddings of one number or more", "none")
    const below = indices.find((index) => index < 0)
    if (below !== undefined) return yield* refuse("indices", "whole numbers from 0 on", String(below))
    // Every image has a caption, and every caption an image.
    const rises = first.every((at, i) => (i === 0 ? at === 0 : at > first[i - 1]!))
    if (first.length !== indices.length + 1 || !rises || first.at(-1) !== captions.length) {
      const received =
        first.length > 9 ? `${first.length} numbers, ${first.slice(0, 8).join(", ")}, …` : first.join(", ")
      const expected = `${indices.length + 1} numbers that rise from 0 to ${captions.length}, the captions`
      return yield* refuse("first", expected, received || "none")
    }
    return { indices, image: image!, captions, text: text!, first }
  })

export const embeddingsKind = artifactKind(
  "embeddings",
  ({ train, heldOut }: Embeddings) => ({ ...filesOf("train", train), ...filesOf("held-out", heldOut) }),
  (files) =>
    Effect.gen(function* () {
      const names = ["train.safetensors", "train.json", "held-out.safetensors", "held-out.json"] as const
      const found = yield* namedFiles(files, "embeddings", names)
      const train = yield* read(found["train.safetensors"], found["train.json"])
      const heldOut = yield* read(found["held-out.safetensors"], found["held-out.json"])
      const [wide, wide2] = [train.image.shape[1], heldOut.image.shape[1]]
      if (wide === wide2) return { train, heldOut }
      return yield* new BadData({
        where: found["held-out.safetensors"].where,
        expected: `embeddings of ${wide} numbers, as in train.safetensors`,
        received: `of ${wide2}`,
        fix: "give the files of one artifact",
      })
    }),
)

/** Images written as codes of a discrete VAE, with what is said of them. */
import { artifactKind, canonicalJson, encodeSafetensors, int32 } from "@millrace/core"

export interface CodedSet {
  /** A row of rows · columns codes for each image, in raster order. int32 n s */
  readonly codes: Int32Array
  /** Of each image, at least one; training draws one of them a time. */
  readonly captions: ReadonlyArray<ReadonlyArray<string>>
}

export interface ImageCodes {
  /** Of the codes. */
  readonly vocab: number
  readonly rows: number
  readonly columns: number
  readonly train: CodedSet
  readonly heldOut: CodedSet
}

export const imageCodesKind = artifactKind("image-codes", ({ vocab, rows, columns, train, heldOut }: ImageCodes) => {
  const tensorOf = ({ codes }: CodedSet) => int32([codes.length / (rows * columns), rows * columns], codes)
  const [trainCaptions, heldOutCaptions] = [train.captions, heldOut.captions]
  return {
    "codes.safetensors": encodeSafetensors({ train: tensorOf(train), heldOut: tensorOf(heldOut) }),
    "captions.json": new TextEncoder().encode(
      canonicalJson({ vocab, rows, columns, train: trainCaptions, heldOut: heldOutCaptions }),
    ),
  }
})

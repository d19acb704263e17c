/** Captions and image codes as the inputs of a sparse transformer. */
import { type HostTensors, int32, type Specs, spec } from "@millrace/core"
import type { SparseConfig } from "@millrace/models"
import type { CodedSet } from "../artifacts/imageCodes.js"
import { captionBatch } from "./captionTokens.js"

type Grid = Pick<SparseConfig, "text" | "rows" | "columns">

/** Types of what a batch consists of. */
export const codedSpecs = ({ text, rows, columns }: Grid, batch: number): Specs => ({
  tokens: spec("int32", [batch, text]),
  mask: spec("float32", [batch, text]),
  codes: spec("int32", [batch, rows * columns]),
})

/**
 * The images at some indices, each with a caption.
 * @param encode  the tokens of the caption that it chooses of an image's, for a place in the batch
 */
export const codedRows = (
  { text, rows, columns }: Grid,
  { codes, captions }: CodedSet,
  indices: ReadonlyArray<number>,
  encode: (captions: ReadonlyArray<string>, place: number) => ReadonlyArray<number>,
): HostTensors => {
  const places = rows * columns
  const data = new Int32Array(indices.length * places)
  for (const [i, at] of indices.entries()) data.set(codes.subarray(at * places, (at + 1) * places), i * places)
  const tokens = indices.map((at, i) => encode(captions[at]!, i))
  return { ...captionBatch(tokens, text), codes: int32([indices.length, places], data) }
}

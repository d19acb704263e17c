/** Captions as the samplers of unCLIP's priors are given them. */
import { type HostTensor, type Specs, spec } from "@millrace/core"
import type { CaptionText } from "./caption.js"

/** A row for each caption; name one several times for several embeddings of it. */
export interface Captions {
  /** The captions' CLIP embeddings.  float32  n c */
  readonly textEmbedding: HostTensor
  /** Their tokens  int32  n t,  or their encoded rows  float32  n t w */
  readonly text: HostTensor
  /** 1 for a caption's positions, 0 for padding.  float32  n t */
  readonly mask: HostTensor
}

/** Types of one caption, without the batch's axis. */
export const captionSpecs = ({
  embedding,
  text,
}: {
  readonly embedding: number
  readonly text: typeof CaptionText.Type
}): Specs => ({
  textEmbedding: spec("float32", [embedding]),
  text: "vocab" in text ? spec("int32", [text.context]) : spec("float32", [text.context, text.encoded]),
  mask: spec("float32", [text.context]),
})

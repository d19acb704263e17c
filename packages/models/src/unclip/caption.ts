/**
 * A caption as unCLIP's priors take it: its rows, its CLIP embedding, and what stands for a caption that is left out.
 * Source   Ramesh et al. 2022, section 2.2.
 * Differs  "Encoded text" may be tokens, embedded here (the paper's width, depth and count of parameters leave no room for
 *          an encoder besides), or another network's output, as CLIP's in Karlo.
 * Axes     b batch, t text position, d width of the model, c width of CLIP's embeddings, w width of encoded text
 */
import { embed, linear, normal, type ParamsOf, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { linearOf, param } from "../layers/params.js"
import { Size } from "../layers/sizes.js"

/** Positions of a caption, and the width of the rows that stand for it, or how many tokens there are to embed. */
export const CaptionText = Schema.Union([
  Schema.Struct({ context: Size, encoded: Size }),
  Schema.Struct({ context: Size, vocab: Size }),
])

/**
 * What stands for a caption that is left out, for classifier-free guidance: `learned` rows and an embedding of their own
 * (lucidrains/DALLE2-pytorch), or nothing, `masked`. The paper leaves captions out in a tenth of all examples and does
 * not say what takes their place. Karlo keeps all and gives the empty caption instead.
 */
export const Dropped = Schema.Literals(["learned", "masked"])

interface CaptionConfig {
  readonly embedding: number
  readonly text: typeof CaptionText.Type
  readonly width: number
  readonly dropped: typeof Dropped.Type
}

export const captionParams = ({ embedding: c, text, width: d, dropped }: CaptionConfig) => ({
  text:
    "vocab" in text
      ? { token: param([text.vocab, d], normal(0.02)) }
      : { weight: param([text.encoded, d], normal(0.02)), bias: param([d], zeros) },
  textEmbedding: linearOf(c, d, 0.02),
  ...(dropped === "learned"
    ? { null: { text: param([text.context, d], normal(0.02)), embedding: param([d], normal(0.02)) } }
    : {}),
})
type Params = ParamsOf<ReturnType<typeof captionParams>>

export interface CaptionInputs {
  /** The caption's CLIP embedding.  float32  b c */
  readonly textEmbedding: tf.Tensor
  /** The caption: its tokens  int32  b t,  or its encoded rows  float32  b t w */
  readonly text: tf.Tensor
  /** 1 for a caption's positions, 0 for padding.  float32  b t */
  readonly mask: tf.Tensor
  /** 1 where the caption counts, 0 where it is left out; none are left out without it.  float32  b */
  readonly kept?: tf.Tensor
}

/**
 * A caption's rows and embedding at the model's width, and which rows are seen.
 * @returns  rows float32 b t d, embedding float32 b d, mask float32 b t
 */
export const captionOf = ({ width: d, text }: CaptionConfig, p: Params, inputs: CaptionInputs) => {
  const [b = 0] = inputs.mask.shape
  const real = tf.reshape(tf.greater(inputs.mask, 0.5), [b, text.context, 1])
  const rows = // b t d
    "token" in p.text
      ? embed(p.text.token, tf.where(tf.squeeze(real, [2]), inputs.text, tf.zerosLike(inputs.text)))
      : linear(tf.where(real, inputs.text, tf.scalar(0)), p.text.weight, p.text.bias)
  const embedding = linear(inputs.textEmbedding, p.textEmbedding.weight, p.textEmbedding.bias) // b d
  if (inputs.kept === undefined) return { rows, embedding, mask: inputs.mask }
  const kept = tf.reshape(tf.greater(inputs.kept, 0.5), [b, 1])
  if (p.null === undefined) {
    const none = tf.scalar(0)
    return { rows, embedding: tf.where(kept, embedding, none), mask: tf.where(kept, inputs.mask, none) }
  }
  return {
    rows: tf.where(tf.reshape(kept, [b, 1, 1]), rows, tf.reshape(p.null.text, [1, text.context, d])),
    embedding: tf.where(kept, embedding, tf.reshape(p.null.embedding, [1, d])),
    // All of the learned rows are seen.
    mask: tf.where(kept, inputs.mask, tf.onesLike(inputs.mask)),
  }
}

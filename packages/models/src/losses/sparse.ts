import { crossEntropy } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { maskedMean, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface SparseLossConfig {
  /** Whether padding after a caption is predicted too. Unstated in Ramesh et al. 2021; lucidrains/DALLE-pytorch counts it. */
  readonly pads: "counted" | "ignored"
}

export interface SparseLoss {
  /** nat */
  readonly loss: tf.Scalar
  /** Mean over the text tokens that count, nat. */
  readonly textLoss: tf.Scalar
  /** Mean over all image tokens, nat. */
  readonly imageLoss: tf.Scalar
}

/**
 * A text token's id where the mask is true; elsewhere the id of the padding at its position: the last t of v ids.
 * @param tokens  int32         b t   masked ones may be any number
 * @param mask    bool, float32 b t   true for a caption's tokens
 * @returns       int32         b t   in 0 … v − 1
 */
export const padCaptions = (tokens: tf.Tensor, mask: tf.Tensor, v: number): tf.Tensor => {
  const [, t = 0] = tokens.shape
  return tf.where(tf.cast(mask, "bool"), tokens, tf.range(v - t, v, 1, "int32"))
}

/**
 * The loss of a transformer over text and image: an eighth of the text's cross-entropy and seven eighths of the image's,
 * each a mean over its own tokens of the batch. Nothing predicts the first text token.
 * @param text    float32  b t v  those of position t predict text token t + 1; the last t of v classes are paddings
 * @param image   float32  b s k  those of place s predict image token s
 * @param tokens  int32    b t    masked ones may be any number
 * @param mask    float32  b t    1 for a caption's tokens
 * @param codes   int32    b s
 * @fails ShapeMismatch  axes that differ
 * @law   uniform logits cost ⅛ ln v + ⅞ ln k
 * @law   what stands at padding changes no bit
 * @source Ramesh et al. 2021, section 2.2
 */
export const sparseLoss = (
  text: tf.Tensor,
  image: tf.Tensor,
  tokens: tf.Tensor,
  mask: tf.Tensor,
  codes: tf.Tensor,
  { pads }: SparseLossConfig,
): SparseLoss => {
  const { b, t, v } = bindAxes("sparse.loss", {
    text: [text, "b t v"],
    image: [image, "b s k"],
    tokens: [tokens, "b t"],
    mask: [mask, "b t"],
    codes: [codes, "b s"],
  }) as { b: number; t: number; v: number }
  /** Each position's successor; none, hence 0, for the last. */
  const next = (x: tf.Tensor): tf.Tensor =>
    tf.concat([tf.slice(x, [0, 1], [b, t - 1]), tf.zeros([b, 1], x.dtype as "int32")], 1) // b t
  const counts = next(pads === "counted" ? tf.ones([b, t]) : tf.cast(tf.cast(mask, "bool"), "float32")) // b t
  const labels = next(padCaptions(tokens, mask, v)) // b t
  const textLoss = maskedMean(crossEntropy(select(counts, text), labels), counts, "token-mean")
  const imageLoss = tf.mean(crossEntropy(image, codes)) as tf.Scalar
  return { loss: tf.add(tf.div(textLoss, 8), tf.mul(imageLoss, 7 / 8)), textLoss, imageLoss }
}

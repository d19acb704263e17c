import { crossEntropy } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type Mask, maskedMean, type Normaliser, select } from "./masked.js"
import { bindAxes } from "./shapes.js"

export interface SftLossConfig {
  /** OpenRLHF offers token-mean and sequence-mean; TRL is token-mean. */
  readonly normaliser: Normaliser
}

/**
 * Cross-entropy of each token given those before it: −Σ m log p(y_t | y_<t) / Σ m. Also the pretraining loss.
 * @param logits  float32 b t v   those of position t predict token t + 1
 * @param tokens  int32   b t     masked ones may be any number
 * @param mask    bool    b t     true for the tokens to be predicted (not for their predecessors)
 * @returns       float32         nat
 * @fails ShapeMismatch  axes that differ
 * @law   a masked position changes neither the loss nor a gradient, whatever it holds
 * @source Ouyang et al. 2022, section 3.5; whether the prompt is masked is unstated there
 */
export const sftLoss = (logits: tf.Tensor, tokens: tf.Tensor, mask: Mask, { normaliser }: SftLossConfig): tf.Scalar => {
  const { b, t } = bindAxes("loss.sft", {
    logits: [logits, "b t v"],
    tokens: [tokens, "b t"],
    ...(mask === undefined ? {} : { mask: [mask, "b t"] as const }),
  }) as { b: number; t: number }
  /** Each position's successor; none, hence 0, for the last. To slice the logits would copy nearly all of them. */
  const next = (x: tf.Tensor): tf.Tensor =>
    tf.concat([tf.slice(x, [0, 1], [b, t - 1]), tf.zeros([b, 1], x.dtype as "int32")], 1) // b t
  const predicts = next(mask === undefined ? tf.ones([b, t]) : tf.cast(tf.cast(mask, "bool"), "float32")) // b t
  const clean = mask === undefined ? logits : select(predicts, logits) // b t v
  const surprise = crossEntropy(clean, select(predicts, next(tokens))) // b t
  return maskedMean(surprise, predicts, normaliser)
}

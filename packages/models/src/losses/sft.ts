import * as tf from "@tensorflow/tfjs-core"
import { type Mask, maskedMean, type Normaliser } from "./masked.js"
import { nextTokenLogProb } from "./tokenLogProb.js"

export interface SftLossConfig {
  /** OpenRLHF offers token-mean and sequence-mean; TRL is token-mean. */
  readonly normaliser: Normaliser
}

/**
 * Cross-entropy of each token given those before it: −Σ m log p(y_t | y_<t) / Σ m. Also the pretraining loss.
 * @param logits  float32 b t v   those of position t predict token t + 1
 * @param tokens  int32   b t
 * @param mask    bool    b t     true for the tokens to be predicted (not for their predecessors)
 * @returns       float32         nat
 * @law  a masked position changes neither the loss nor a gradient, whatever it holds
 * @source Ouyang et al. 2022, section 3.5; whether the prompt is masked is unstated there
 */
export const sftLoss = (logits: tf.Tensor, tokens: tf.Tensor, mask: Mask, { normaliser }: SftLossConfig): tf.Scalar => {
  const [b, t] = tokens.shape as [number, number]
  const logProb = nextTokenLogProb(logits, tokens, mask) // b t-1
  const predicted = mask === undefined ? undefined : tf.slice(mask, [0, 1], [b, t - 1]) // b t-1
  return tf.neg(maskedMean(logProb, predicted, normaliser))
}

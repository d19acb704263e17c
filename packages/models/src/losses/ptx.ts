import * as tf from "@tensorflow/tfjs-core"

export interface PtxLossConfig {
  /** γ: weight of the pretraining loss. InstructGPT: 27.8. */
  readonly coefficient: number
}

/**
 * PPO-ptx: L_PPO − γ E[log π(x)] over pretraining text, which keeps what pretraining taught.
 * Its gradient is the sum of both gradients, so two passes that accumulate, in either order, give the same; the paper
 * does that. Whether it means or sums the log-likelihood over tokens is unstated: the normaliser of `sftLoss` decides.
 * @param ppo          float32   a PPO loss
 * @param pretraining  float32   nat   `sftLoss` of the policy on pretraining text: −E[log π(x)]
 * @law   γ = 0 gives the PPO loss
 * @source Ouyang et al. 2022, eq. 2 and appendix C
 */
export const ptxLoss = (ppo: tf.Tensor, pretraining: tf.Tensor, { coefficient }: PtxLossConfig): tf.Scalar =>
  tf.add(ppo, tf.mul(coefficient, pretraining))

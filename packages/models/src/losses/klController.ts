export interface AdaptiveKlConfig {
  /** KL of a whole sequence to steer to, nat. 6 in lm-human-preferences. */
  readonly target: number
  /** Episodes over which β may change by a factor of about e^±0.2. 10,000 in lm-human-preferences. */
  readonly horizon: number
  /** The error is clipped to ± this. 0.2 in every code read. */
  readonly limit?: number
}

/** β for the next batch, from β, the batch's mean KL of a sequence (summed over tokens, nat) and its episodes. */
export type KlController = (beta: number, kl: number, episodes: number) => number

/**
 * β ← β (1 + clip(KL / target − 1, ± 0.2) · n / horizon). InstructGPT has a fixed β instead: `fixedKl`.
 * @law   KL at the target leaves β as it is; β grows with KL and stays positive while 0.2 n < horizon
 * @source Ziegler et al. 2019, section 2.2; lm-human-preferences, AdaptiveKLController
 */
export const adaptiveKl =
  ({ target, horizon, limit = 0.2 }: AdaptiveKlConfig): KlController =>
  (beta, kl, episodes) => {
    const error = Math.min(limit, Math.max(-limit, kl / target - 1))
    return beta * (1 + (error * episodes) / horizon)
  }

/** β as it is. InstructGPT: 0.02. */
export const fixedKl: KlController = (beta) => beta

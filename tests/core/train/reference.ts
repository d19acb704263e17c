/** AdamW and its schedule in float64, element by element, from the papers' formulas. */

export interface Settings {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** √ Σ g² over all tensors. */
export const referenceNorm = (gradients: ReadonlyArray<ArrayLike<number>>): number => {
  let sum = 0
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) sum += gradient[i]! ** 2
  return Math.sqrt(sum)
}

/** A parameter with its moments; `step` takes an already clipped gradient. Loshchilov and Hutter 2019, algorithm 2. */
export const referenceAdamW = (
  { beta1, beta2, epsilon, weightDecay }: Settings,
  start: ArrayLike<number>,
  decays: boolean,
) => {
  const param = Float64Array.from(start)
  const first = new Float64Array(start.length)
  const second = new Float64Array(start.length)
  let t = 0
  const step = (gradient: ArrayLike<number>, rate: number): void => {
    t++
    for (let i = 0; i < param.length; i++) {
      const g = gradient[i]!
      first[i] = beta1 * first[i]! + (1 - beta1) * g
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g
      const firstHat = first[i]! / (1 - beta1 ** t)
      const secondHat = second[i]! / (1 - beta2 ** t)
      const decayed = decays ? rate * weightDecay * param[i]! : 0
      param[i] = param[i]! - (rate * firstHat) / (Math.sqrt(secondHat) + epsilon) - decayed
    }
  }
  return { param, first, second, step }
}

export interface Reach extends Settings {
  readonly rate: number
  /** The largest global norm of the gradients. */
  readonly limit: number
}

/** What the global norm of the parameters cannot exceed after step `t` (from 0), by Cauchy and Schwarz over the history. */
export const referenceReach = (
  { beta1, beta2, epsilon, weightDecay, rate, limit }: Reach,
  t: number,
  params: ReadonlyArray<number>,
): number => {
  const direction =
    beta1 ** 2 < beta2 ? (1 - beta1) / Math.sqrt((1 - beta2) * (1 - beta1 ** 2 / beta2)) : limit / epsilon
  const corrected = Math.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
  // A parameter that does not decay keeps all of itself.
  const kept = Math.max(1, Math.abs(1 - rate * weightDecay))
  return kept * referenceNorm([params]) + rate * corrected * direction * Math.sqrt(params.length)
}

export interface Rates {
  readonly kind: "constant" | "cosine" | "linear"
  readonly peak: number
  readonly warmup: number
  readonly floor: number
}

/** The learning rate of step 0, 1, … of `steps`. */
export const referenceRate = ({ kind, peak, warmup, floor }: Rates, step: number, steps: number): number => {
  if (step < warmup) return (peak * (step + 1)) / warmup
  if (kind === "constant") return peak
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - 1 - warmup))
  const fall = kind === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2
  return peak * (floor + (1 - floor) * fall)
}

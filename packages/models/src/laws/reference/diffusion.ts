/** Losses of diffusion in float64, entry by entry, from the papers' formulas. */
import type { Diffusion } from "../../diffusion/diffusion.js"
import type { DiffusionLossConfig } from "../../diffusion/loss.js"

/** KL of two normal distributions, in nats. */
export const klReference = (mean: number, log: number, otherMean: number, otherLog: number): number =>
  0.5 * (otherLog - log - 1 + Math.exp(log - otherLog) + (mean - otherMean) ** 2 / Math.exp(otherLog))

/** ½ (1 + tanh …) of guided-diffusion, as a logistic function so that small numbers keep their digits. */
const cumulative = (x: number): number => 1 / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** The log-probability of one 8-bit number, in nats. */
export const discretisedReference = (x: number, mean: number, log: number): number => {
  const deviation = Math.exp(log / 2)
  const [above, below] = [(x - mean + 1 / 255) / deviation, (x - mean - 1 / 255) / deviation]
  const mass =
    x < -0.999
      ? cumulative(above)
      : x > 0.999
        ? cumulative(-below)
        : x > mean
          ? cumulative(-below) - cumulative(-above)
          : cumulative(above) - cumulative(below)
  return Math.log(Math.max(mass, 1e-12))
}

export interface ReferenceRow {
  readonly time: number
  readonly start: ReadonlyArray<number>
  readonly noise: ReadonlyArray<number>
  /** The network's output: as many numbers, or twice as many. */
  readonly output: ReadonlyArray<number>
}

/** Σ over rows and entries, with the mean over both; `detached` holds the prediction that the bound sees, row by row. */
export const lossReference = (
  { schedule, parametrisation, variance }: Diffusion,
  rows: ReadonlyArray<ReferenceRow>,
  { kind, weight = 1e-3, error = parametrisation }: DiffusionLossConfig,
  detached?: ReadonlyArray<ReadonlyArray<number>>,
): { readonly loss: number; readonly simple: number; readonly bound: number } => {
  let [simple, bound] = [0, 0]
  rows.forEach(({ time: t, start, noise, output }, row) => {
    const d = start.length
    const [beta, left] = [schedule.beta[t]!, schedule.alphaBar[t]!]
    const before = t === 0 ? 1 : schedule.alphaBar[t - 1]!
    const [l, s] = [Math.sqrt(left), Math.sqrt(1 - left)]
    for (let i = 0; i < d; i++) {
      const x = l * start[i]! + s * noise[i]!
      const all = (p: number): Record<"noise" | "start" | "velocity", number> => {
        const x0 = parametrisation === "start" ? p : parametrisation === "noise" ? (x - s * p) / l : l * x - s * p
        const eps = (x - l * x0) / s
        return { start: x0, noise: eps, velocity: l * eps - s * x0 }
      }
      const truth = { start: start[i]!, noise: noise[i]!, velocity: l * noise[i]! - s * start[i]! }
      simple += (truth[error] - all(output[i]!)[error]) ** 2 / d / rows.length

      const mean = (x0: number): number =>
        (Math.sqrt(before) * beta * x0 + Math.sqrt(1 - beta) * (1 - before) * x) / (1 - left)
      const small = schedule.posteriorLogVariance[t]!
      const f = (output[d + i]! + 1) / 2
      const log =
        variance === "fixed-small"
          ? small
          : variance === "fixed-large"
            ? t === 0
              ? small
              : Math.log(beta)
            : f * Math.log(beta) + (1 - f) * small
      const guess = mean(all(detached?.[row]?.[i] ?? output[i]!).start)
      const nats =
        t === 0 ? -discretisedReference(start[i]!, guess, log) : klReference(mean(start[i]!), small, guess, log)
      bound += nats / Math.LN2 / d / rows.length
    }
  })
  const total = schedule.steps * bound
  return { simple, bound, loss: kind === "simple" ? simple : kind === "bound" ? total : simple + weight * total }
}

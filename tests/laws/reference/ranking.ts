import type { Rows } from "./masked.js"

/** Ouyang et al. 2022, eq. 1, as a double loop over the answers of each prompt. */
export const rankingReference = (
  rewards: Rows,
  preference: Rows,
  mask: Rows,
  { divisor, margin = 0, centering = 0 }: { divisor: "pairs-left" | "choose-k"; margin?: number; centering?: number },
): number => {
  let [total, prompts] = [0, 0]
  rewards.forEach((r, b) => {
    const real = r.map((_, k) => k).filter((k) => mask[b]![k] === 1)
    let [sum, pairs] = [0, 0]
    for (const winner of real) {
      for (const loser of real) {
        if (preference[b]![winner]! <= preference[b]![loser]!) continue
        const gap = r[winner]! - r[loser]! - margin
        sum += -Math.log(1 / (1 + Math.exp(-gap))) + centering * (r[winner]! + r[loser]!) ** 2
        pairs += 1
      }
    }
    if (pairs === 0) return
    total += sum / (divisor === "pairs-left" ? pairs : (real.length * (real.length - 1)) / 2)
    prompts += 1
  })
  return prompts === 0 ? 0 : total / prompts
}

/** Fewer steps than a network was trained on: which of them stay, and the schedule that they make. */
import { BadConfig } from "@millrace/core"
import { type NoiseSchedule, noiseScheduleOf } from "./schedule.js"

/** To the nearest integer, halves to the even one: as the code that published models were sampled with. */
const roundEven = (x: number): number => {
  const below = Math.floor(x)
  const gap = x - below
  return gap < 0.5 || (gap === 0.5 && below % 2 === 0) ? below : below + 1
}

const bad = (steps: number, spacing: string, fix: string): BadConfig =>
  new BadConfig({
    where: "respacing",
    expected: `a spacing that ${steps} steps can have`,
    received: spacing,
    fix,
  })

/**
 * The steps that stay, rising.
 *
 *   "ddim25"        every k-th step from the first, so that exactly 25 stay (Song et al. 2021)
 *   "100"           100 steps, evenly, the first and the last among them
 *   "10,10,3,2,2"   as many of each of five sections of equal length (Nichol and Dhariwal 2021)
 *   "fast27"        10,10,3,2,2 with step T − 3 for the last (GLIDE's upsampler)
 * @fails BadConfig  no stride gives that many steps; more steps of a section than it has; anything else
 */
export const spacedSteps = (steps: number, spacing: string): ReadonlyArray<number> => {
  if (spacing === "fast27") {
    return [...new Set([...spacedSteps(steps, "10,10,3,2,2").slice(0, -1), steps - 3])].sort((a, b) => a - b)
  }
  const ddim = /^ddim([1-9][0-9]*)$/.exec(spacing)
  if (ddim !== null) {
    const wanted = Number(ddim[1])
    for (let stride = 1; stride <= steps; stride++) {
      if (Math.ceil(steps / stride) === wanted) return Array.from({ length: wanted }, (_, i) => i * stride)
    }
    throw bad(steps, spacing, "ask for a number of steps that is the training's divided by a whole number")
  }
  if (!/^[1-9][0-9]*(,[1-9][0-9]*)*$/.test(spacing)) {
    throw bad(steps, JSON.stringify(spacing), 'write "ddim25", "100", "10,10,3,2,2" or "fast27"')
  }
  const counts = spacing.split(",").map(Number)
  const kept: Array<number> = []
  let from = 0
  for (const [i, count] of counts.entries()) {
    const length = Math.floor(steps / counts.length) + (i < steps % counts.length ? 1 : 0)
    if (count > length) throw bad(steps, spacing, `ask for at most ${length} steps of section ${i + 1}`)
    const stride = count === 1 ? 1 : (length - 1) / (count - 1)
    // Added up, not multiplied: halves then round as in openai/guided-diffusion.
    for (let k = 0, at = 0; k < count; k++, at += stride) kept.push(from + roundEven(at))
    from += length
  }
  return kept
}

/**
 * The schedule of the steps that stay: β' = 1 − ᾱ_s / ᾱ_r of each step s and the kept one before it, r. A network is told the
 * times that it was trained with.
 * @param kept  rising, each once
 * @fails BadConfig  steps that the schedule does not have, or that do not rise
 * @law   ᾱ of a kept step stays what it was
 * @source Nichol and Dhariwal 2021, section 4
 */
export const respace = (schedule: NoiseSchedule, kept: ReadonlyArray<number>): NoiseSchedule => {
  const fits = kept.every((s, i) => Number.isInteger(s) && s > (kept[i - 1] ?? -1) && s < schedule.steps)
  if (!fits || kept.length === 0) {
    throw bad(schedule.steps, `[${kept.join(", ")}]`, `name steps from 0 to ${schedule.steps - 1}, rising`)
  }
  const left = (i: number): number => (i < 0 ? 1 : schedule.alphaBar[kept[i]!]!)
  return noiseScheduleOf(
    kept.map((_, i) => 1 - left(i) / left(i - 1)),
    kept.map((s) => schedule.times[s]!),
  )
}

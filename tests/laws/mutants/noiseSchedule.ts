import { type NoiseSchedule, noiseSchedule, noiseScheduleOf } from "@millrace/models"
import { type NoiseScheduleOf, scheduleLaws } from "@millrace/models/laws"
import { mutantSet } from "./mutantSet.js"

const changed =
  (change: (schedule: NoiseSchedule) => Partial<NoiseSchedule>): NoiseScheduleOf =>
  (config) => {
    const schedule = noiseSchedule(config)
    return { ...schedule, ...change(schedule) }
  }

/** As `noiseScheduleOf`, of any β at all. */
const linear =
  (from: (steps: number) => number, to: (steps: number) => number): NoiseScheduleOf =>
  (config) =>
    config.kind === "cosine"
      ? noiseSchedule(config)
      : noiseScheduleOf(
          Array.from(
            { length: config.steps },
            (_, t) => from(config.steps) + ((to(config.steps) - from(config.steps)) * t) / config.steps,
          ),
        )

export const scheduleMutants = mutantSet<NoiseScheduleOf>({
  subject: "noise schedule",
  laws: scheduleLaws,
  real: noiseSchedule,
  mutants: {
    "whose ᾱ is not accumulated": changed(({ beta }) => ({ alphaBar: beta.map((b) => 1 - b) })),
    "whose ᾱ is rounded to float16's digits": changed(({ alphaBar }) => ({
      alphaBar: alphaBar.map((a) => Math.round(a * 1024) / 1024),
    })),
    "whose first step has one before it": changed(({ alphaBar }) => ({ alphaBarBefore: alphaBar })),
    "with β for β̃": changed(({ beta }) => ({ posteriorVariance: beta })),
    "whose β̃ has its fraction upside down": changed(({ beta, alphaBar, alphaBarBefore }) => ({
      posteriorVariance: beta.map((b, t) => (b * (1 - alphaBar[t]!)) / Math.max(1 - alphaBarBefore[t]!, 1e-3)),
    })),
    "whose β̃ is half of β": changed(({ beta }) => ({ posteriorVariance: beta.map((b, t) => (t === 0 ? 0 : b / 2)) })),
    "with the logarithm of 0": changed(({ posteriorVariance }) => ({
      posteriorLogVariance: posteriorVariance.map(Math.log),
    })),
    "that counts times from 1": changed(({ times }) => ({ times: times.map((t) => t + 1) })),
    "whose β do not know the number of steps": linear(
      () => 1e-4,
      () => 2e-2,
    ),
    "that ends one step early": linear(
      (n) => 0.1 / n,
      (n) => 20 / n,
    ),
    "whose cosine has no offset": (config) =>
      config.kind === "linear"
        ? noiseSchedule(config)
        : noiseScheduleOf(
            Array.from({ length: config.steps }, (_, t) => {
              const left = (s: number): number => Math.cos((s / config.steps) * (Math.PI / 2)) ** 2
              return Math.min(1 - left(t + 1) / left(t), 0.999)
            }),
          ),
  },
})

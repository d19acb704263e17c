/** How fast a stage goes, from its steps: a mean that forgets, so that the first, slow steps do not spoil the forecast. */
import type { StampedEvent } from "@millrace/core"

type Step = Extract<StampedEvent, { type: "stage.step" }>

export interface Pace {
  readonly add: (event: Step) => void
  /** Work a second, or undefined before the second step. */
  readonly rate: () => number | undefined
  /** Seconds to the end, or undefined before the second step. */
  readonly left: () => number | undefined
  /** The value that tells most, smoothed: a loss if there is one. */
  readonly headline: () => readonly [name: string, value: number] | undefined
}

const keep = 0.95

/** An exponential mean, corrected for its start. A value that is no finite number is shown as it is until the next one. */
const mean = (): { readonly add: (value: number) => void; readonly value: () => number | undefined } => {
  let sum = 0
  let weight = 0
  let broken: number | undefined
  return {
    add: (value) => {
      broken = Number.isFinite(value) ? undefined : value
      if (broken !== undefined) return
      sum = keep * sum + (1 - keep) * value
      weight = keep * weight + (1 - keep)
    },
    value: () => broken ?? (weight === 0 ? undefined : sum / weight),
  }
}

const headlineOf = (values: Readonly<Record<string, number>>): string | undefined => {
  const names = Object.keys(values)
  return names.find((name) => name === "loss") ?? names.find((name) => /reward|loss/.test(name)) ?? names[0]
}

export const pace = (): Pace => {
  const seconds = mean()
  const amount = mean()
  const value = mean()
  let last: Step | undefined
  let name: string | undefined
  return {
    add: (event) => {
      // Steps that were left out between two that came: their time is shared.
      const steps = last === undefined ? 0 : event.step - last.step
      if (last !== undefined && steps > 0) seconds.add((event.secondsSinceStart - last.secondsSinceStart) / steps)
      amount.add(event.amount)
      name ??= headlineOf(event.values)
      if (name !== undefined) value.add(event.values[name] ?? Number.NaN)
      last = event
    },
    rate: () => {
      const [work, time] = [amount.value(), seconds.value()]
      return work === undefined || time === undefined || time <= 0 || work <= 0 ? undefined : work / time
    },
    left: () => {
      const time = seconds.value()
      return last === undefined || time === undefined ? undefined : Math.max(0, last.steps - last.step) * time
    },
    headline: () => {
      const shown = value.value()
      return name === undefined || shown === undefined ? undefined : [name, shown]
    },
  }
}

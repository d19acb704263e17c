/** Events as JSON lines. JSON has no NaN and no infinities: in `values` and tables they are written as strings. */
import type { StampedEvent } from "./event.js"

const words = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
])

const numberOf = (value: number): number => words.get(value) ?? value

/** One event as one line, without the newline. */
export const encodeEvent = (event: StampedEvent): string =>
  JSON.stringify(event, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  )

/**
 * The events of a file, in the order they happened. A last line that was cut off when the process died is left out, and
 * so is any line that is no event: a report of what is readable beats none.
 */
export const decodeEvents = (text: string): ReadonlyArray<StampedEvent> =>
  text.split("\n").flatMap((line): ReadonlyArray<StampedEvent> => {
    try {
      const event = JSON.parse(line) as StampedEvent
      if (typeof event.type !== "string" || typeof event.sequence !== "number") return []
      if (event.type === "stage.images" && event.numbers !== undefined) {
        const numbers = event.numbers.map(({ name, values }) => ({ name, values: values.map(numberOf) }))
        return [{ ...event, numbers }]
      }
      if (event.type !== "stage.step") return [event]
      const values = Object.entries(event.values).map(([name, value]) => [name, numberOf(value)] as const)
      return [{ ...event, values: Object.fromEntries(values) }]
    } catch {
      return []
    }
  })

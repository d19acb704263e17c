/** Events as JSON lines. JSON has no NaN and no infinities: in `values` and tables they are written as strings. */
import type { StampedEvent } from "./event.js"
import { readEvent } from "./eventSchema.js"

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
  text.split("\n").flatMap((line) => {
    const event = readEvent(line)
    return typeof event === "string" ? [] : [event]
  })

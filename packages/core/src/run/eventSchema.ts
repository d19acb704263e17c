/** Events of a file that nobody vouches for: one that passes has every field that its type promises. */
import { Result, Schema } from "effect"
import type { RunEvent, StampedEvent } from "./event.js"

const text = Schema.String
const texts = Schema.Array(Schema.String)
/** JSON has no NaN and no infinities: they are written as words. */
const words = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, "-Infinity": Number.NEGATIVE_INFINITY } as const
const number = Schema.Union([Schema.Finite, Schema.Literals(["NaN", "Infinity", "-Infinity"])])
const count = Schema.Finite.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))
const digests = Schema.Record(text, text)
const stage = { stage: text }

const kinds = {
  "run.started": { run: text, graph: text, stages: texts },
  "run.resumed": { run: text, graph: text, stages: texts },
  "stage.started": { ...stage, node: text, steps: Schema.optionalKey(count) },
  "stage.step": {
    ...stage,
    step: count,
    steps: count,
    values: Schema.Record(text, number),
    amount: number,
    unit: text,
  },
  "stage.samples": { ...stage, columns: texts, rows: Schema.Array(texts) },
  "stage.table": {
    ...stage,
    title: text,
    columns: texts,
    rows: Schema.Array(Schema.Array(Schema.Union([text, Schema.Finite]))),
    curve: Schema.optionalKey(Schema.Struct({ x: text, y: texts })),
  },
  "stage.images": {
    ...stage,
    title: text,
    step: count,
    file: text,
    size: Schema.Tuple([count, count]),
    columns: count,
    texts,
    columnNames: texts,
    rowNames: texts,
    numbers: Schema.optionalKey(Schema.Array(Schema.Struct({ name: text, values: Schema.Array(number) }))),
  },
  "stage.note": { ...stage, text },
  "stage.ended": { ...stage, seconds: count, digests, memory: Schema.optionalKey(count) },
  "stage.cached": { ...stage, node: text, digests, from: text, seconds: count },
  "stage.failed": { ...stage, error: text },
  "run.ended": { run: text, seconds: count, status: Schema.Literals(["done", "failed", "stopped"]) },
} as const satisfies Record<RunEvent["type"], Schema.Struct.Fields>

const stamp = { sequence: count, secondsSinceStart: count }
const checks = new Map(
  Object.entries(kinds).map(([type, fields]) => [
    type,
    Schema.decodeUnknownResult(Schema.Struct({ type: Schema.Literal(type), ...stamp, ...fields })),
  ]),
)

const numberOf = (value: number | keyof typeof words): number => (typeof value === "string" ? words[value] : value)

/** Words back to numbers, where an event has numbers. */
const withNumbers = (event: StampedEvent): StampedEvent => {
  if (event.type === "stage.step") {
    const values = Object.entries(event.values).map(([name, value]) => [name, numberOf(value)] as const)
    return { ...event, values: Object.fromEntries(values), amount: numberOf(event.amount) }
  }
  if (event.type !== "stage.images" || event.numbers === undefined) return event
  return { ...event, numbers: event.numbers.map(({ name, values }) => ({ name, values: values.map(numberOf) })) }
}

/**
 * One line of an event file: the event; `unknown` for one whose type this version does not know; `damaged` for anything that
 * is no event.
 */
export const readEvent = (line: string): StampedEvent | "unknown" | "damaged" => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return "damaged"
  }
  if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string")
    return "damaged"
  const check = checks.get(value.type)
  if (check === undefined) return "sequence" in value && typeof value.sequence === "number" ? "unknown" : "damaged"
  const checked = check(value)
  return Result.isSuccess(checked) ? withNumbers(checked.success as StampedEvent) : "damaged"
}

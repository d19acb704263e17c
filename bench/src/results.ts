/** What a run of the benchmark leaves in `bench/results.json`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus, totalmem } from "node:os"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"

const Memory = Schema.Struct({
  /** Bytes, the most that was resident. Null where the system does not say. */
  main: Schema.NullOr(Schema.Number),
  /** The engine's own process; null where there is none. */
  engine: Schema.NullOr(Schema.Number),
  /** Both together; each one's most, so that it is not less than what both held at once. */
  total: Schema.NullOr(Schema.Number),
})
export type Memory = typeof Memory.Type

/** Seconds, bytes and nats of one contestant. */
const Row = Schema.Struct({
  contestant: Schema.String,
  version: Schema.String,
  threads: Schema.Int,
  median: Schema.Number,
  lowerQuartile: Schema.Number,
  upperQuartile: Schema.Number,
  rounds: Schema.Int,
  /** Its median ÷ Millrace's. */
  ratio: Schema.Number,
  /** The ratio that is wanted. */
  target: Schema.NullOr(Schema.Number),
  compileSeconds: Schema.NullOr(Schema.Number),
  /** The losses of the first steps, and the largest relative difference to Millrace's. */
  losses: Schema.Array(Schema.Number),
  difference: Schema.NullOr(Schema.Number),
  /** Since the process started, preparation included. */
  peak: Memory,
  /** While the rounds ran. */
  peakStepping: Memory,
})
export type Row = typeof Row.Type

const Skipped = Schema.Struct({ contestant: Schema.String, reason: Schema.String })

const Compared = Schema.Struct({
  kind: Schema.Literal("compared"),
  name: Schema.String,
  title: Schema.String,
  date: Schema.String,
  command: Schema.String,
  rows: Schema.Array(Row),
  skipped: Schema.Array(Skipped),
})
export type Compared = typeof Compared.Type

const Checked = Schema.Struct({
  kind: Schema.Literal("checked"),
  name: Schema.String,
  title: Schema.String,
  date: Schema.String,
  command: Schema.String,
  version: Schema.String,
  holds: Schema.Boolean,
  /** What was found, in words: `1 digest`, `0.3 MB`. */
  found: Schema.String,
  wanted: Schema.String,
})
export type Checked = typeof Checked.Type

const Failed = Schema.Struct({
  kind: Schema.Literal("failed"),
  name: Schema.String,
  title: Schema.String,
  date: Schema.String,
  command: Schema.String,
  reason: Schema.String,
})

export const Result = Schema.Union([Compared, Checked, Failed])
export type Result = typeof Result.Type

const Results = Schema.Struct({ machine: Schema.String, threads: Schema.Int, results: Schema.Array(Result) })
export type Results = typeof Results.Type

const file = fileURLToPath(new URL("../results.json", import.meta.url))

export const machine = (): string => {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, ${memory}, Node ${process.versions.node}`
}

/** What earlier runs left; null where there is nothing, or something of another format. */
export const readResults = (): Results | null => {
  if (!existsSync(file)) return null
  const read = Schema.decodeUnknownOption(Results)(JSON.parse(readFileSync(file, "utf8")))
  return read._tag === "Some" ? read.value : null
}

/** Adds results to those of earlier runs on the same machine, case by case, in the order of `names`. */
export const keepResults = (threads: number, results: ReadonlyArray<Result>, names: ReadonlyArray<string>): void => {
  const before = readResults()
  const same = before !== null && before.machine === machine() && before.threads === threads
  const byName = new Map([...(same ? before.results : []), ...results].map((result) => [result.name, result]))
  const ordered = names.flatMap((name) => byName.get(name) ?? [])
  const all: Results = { machine: machine(), threads, results: ordered }
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`)
}

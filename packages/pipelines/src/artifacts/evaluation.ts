/** Results of an evaluation: tables of numbers, and samples to read. */
import { artifactKind, jsonFile, namedFiles } from "@millrace/core"
import { Effect, Schema } from "effect"

export interface Table {
  readonly title: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string | number>>
}

export interface Evaluation {
  /** Every number by name, unrounded. */
  readonly metrics: Readonly<Record<string, number>>
  readonly tables: ReadonlyArray<Table>
  readonly samples: { readonly columns: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<string>> }
}

const Strings = Schema.Array(Schema.String)
const metricsFile = jsonFile(Schema.Record(Schema.String, Schema.Finite))
const tablesFile = jsonFile(
  Schema.Array(
    Schema.Struct({
      title: Schema.String,
      columns: Strings,
      rows: Schema.Array(Schema.Array(Schema.Union([Schema.String, Schema.Finite]))),
    }),
  ),
)
const samplesFile = jsonFile(Schema.Struct({ columns: Strings, rows: Schema.Array(Strings) }))

export const evaluationKind = artifactKind(
  "evaluation",
  ({ metrics, tables, samples }: Evaluation) => ({
    "metrics.json": metricsFile.write(metrics),
    "tables.json": tablesFile.write(tables),
    "samples.json": samplesFile.write(samples),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "evaluation", ["metrics.json", "tables.json", "samples.json"])
      return {
        metrics: yield* metricsFile.read(found["metrics.json"]),
        tables: yield* tablesFile.read(found["tables.json"]),
        samples: yield* samplesFile.read(found["samples.json"]),
      }
    }),
)

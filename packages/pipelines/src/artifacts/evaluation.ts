/** Results of an evaluation: tables of numbers, and samples to read. */
import { artifactKind, canonicalJson } from "@millrace/core"

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

const json = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

export const evaluationKind = artifactKind("evaluation", ({ metrics, tables, samples }: Evaluation) => ({
  "metrics.json": json(metrics),
  "tables.json": json(tables),
  "samples.json": json(samples),
}))

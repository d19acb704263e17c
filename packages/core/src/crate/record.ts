/** The record of a run, as its folder has it: what a crate is made of. */
import { DateTime } from "effect"
import type { Files } from "../artifact.js"
import type { Graph } from "../graph/parts.js"
import type { RunStory } from "../report/story.js"
import type { JsonValue } from "./entity.js"

export interface RunRecord {
  /** The folder's name. */
  readonly id: string
  readonly graph: Graph
  /** SHA-256 of the graph. */
  readonly hash: string
  readonly environment: Readonly<Record<string, JsonValue>>
  readonly story: RunStory
  /** Stage -> port -> SHA-256 of what it made. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Path in the folder -> content: the graph, the environment, events, digests, artifacts, images, summary, report. */
  readonly files: Files
}

/** A data set that a run used. */
export interface DataSet {
  readonly stage: string
  readonly port: string
  readonly name: string
  /** Where it comes from, with version and licence, as its stage tells. */
  readonly source: string
  /** The licence: an address where it is a known one, else what the source says. */
  readonly license: string
  /** The address of what it is made from, where it has one. */
  readonly url?: string
  /** The manifest, by its path in the crate, and what its records are: `$.train[*]`. */
  readonly manifest: string
  readonly records: ReadonlyArray<RecordSet>
  /** Whether the manifest holds the data themselves. */
  readonly whole?: boolean
  /** The data, by their names, where they are published too. */
  readonly files?: Files
}

export interface RecordSet {
  readonly name: string
  /** JSONPath of the records inside the manifest. */
  readonly at: string
  readonly fields: ReadonlyArray<{ readonly name: string; readonly type: "Text" | "Integer"; readonly says: string }>
}

/** When something of the run was, by the machine's clock when it began. A record that does not tell when counts from 1970. */
export const momentOf = (record: RunRecord, seconds: number): string => {
  const { startedAt } = record.environment
  const start = typeof startedAt === "string" ? Date.parse(startedAt) : Number.NaN
  const moment = DateTime.makeUnsafe((Number.isNaN(start) ? 0 : start) + Math.round(seconds * 1000))
  return DateTime.formatIso(moment).replace("Z", "+00:00")
}

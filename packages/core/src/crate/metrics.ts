/** The numbers of a run: what a stage measured, and the last value of every curve. */
import type { Files } from "../artifact.js"
import type { RunStory } from "../report/story.js"
import { artifactFiles } from "./artifactFiles.js"
import type { JsonValue } from "./entity.js"
import type { RunRecord } from "./record.js"

export interface Metric {
  readonly stage: string
  readonly name: string
  readonly value: number
}

/** How far a number may be from the published one, where rounding differs: whichever of the two allows more. */
export interface Tolerance {
  readonly absolute: number
  readonly relative: number
}

export const defaultTolerance: Tolerance = { absolute: 0.05, relative: 0.1 }

/** JSON has no NaN and no infinities. */
const written = (value: number): JsonValue => (Number.isFinite(value) ? value : String(value))

const measuredIn = (bytes: Uint8Array | undefined): ReadonlyArray<readonly [string, number]> => {
  if (bytes === undefined) return []
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof value !== "object" || value === null || Array.isArray(value)) return []
    return Object.entries(value).flatMap(([name, number]) =>
      typeof number === "number" ? [[name, number] as const] : [],
    )
  } catch {
    return []
  }
}

/** Artifacts with a file `metrics.json`, name -> number, and the values of the last steps. */
export const metricsOf = (story: RunStory, digests: RunRecord["digests"], files: Files): ReadonlyArray<Metric> => [
  ...Object.entries(digests).flatMap(([stage, ports]) =>
    Object.keys(ports).flatMap((port) =>
      measuredIn(artifactFiles(files, stage, port)["metrics.json"]).map(([name, value]) => ({ stage, name, value })),
    ),
  ),
  ...[...story.stages.values()].flatMap(({ name: stage, last }) =>
    Object.entries(last).map(([name, value]) => ({ stage, name: `last ${name}`, value })),
  ),
]

/** The crate's file of metrics. */
export const metricsFile = (metrics: ReadonlyArray<Metric>, tolerance: Tolerance): string =>
  `${JSON.stringify(
    {
      tolerance: { absolute: tolerance.absolute, relative: tolerance.relative },
      metrics: metrics.map(({ stage, name, value }) => ({ stage, name, value: written(value) })),
    },
    null,
    1,
  )}\n`

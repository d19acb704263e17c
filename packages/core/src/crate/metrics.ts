/** The numbers of a run: what a stage measured, and the last value of every curve. */
import type { Files } from "../artifact.js"
import { BadData } from "../errors.js"
import type { RunStory } from "../report/story.js"
import { lastNumbers, numbersIn, type RunMetric } from "../runs/runMetrics.js"
import { artifactFiles } from "./artifactFiles.js"
import type { JsonValue } from "./entity.js"
import type { RunRecord } from "./record.js"

/** How far a number may be from the published one, where rounding differs: whichever of the two allows more. */
export interface Tolerance {
  readonly absolute: number
  readonly relative: number
}

export const defaultTolerance: Tolerance = { absolute: 0.05, relative: 0.1 }

/** JSON has no NaN and no infinities. */
const written = (value: number): JsonValue => (Number.isFinite(value) ? value : String(value))

/**
 * Artifacts with a file `metrics.json`, name -> number, and the values of the last steps. Numbers of tables, that lists of runs
 * fall back on, are not held against a tolerance: some are times.
 */
export const metricsOf = (story: RunStory, digests: RunRecord["digests"], files: Files): ReadonlyArray<RunMetric> => [
  ...Object.entries(digests).flatMap(([stage, ports]) =>
    Object.keys(ports).flatMap((port) =>
      numbersIn(artifactFiles(files, stage, port)["metrics.json"]).map(([name, value]) => ({ stage, name, value })),
    ),
  ),
  ...[...story.stages.values()].flatMap((stage) =>
    lastNumbers(stage).map(([name, value]) => ({ stage: stage.name, name, value })),
  ),
]

/** The crate's file of metrics. */
export const metricsFile = (metrics: ReadonlyArray<RunMetric>, tolerance: Tolerance): string =>
  `${JSON.stringify(
    {
      tolerance: { absolute: tolerance.absolute, relative: tolerance.relative },
      metrics: metrics.map(({ stage, name, value }) => ({ stage, name, value: written(value) })),
    },
    null,
    1,
  )}\n`

const words: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
}

const isRecord = (value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const numberOf = (value: JsonValue | undefined): number | null => {
  if (typeof value === "number") return value
  return typeof value === "string" && Object.hasOwn(words, value) ? words[value]! : null
}

/**
 * The crate's file of metrics, read again.
 * @throws BadData  it is none
 */
export const readMetrics = (
  file: Readonly<Record<string, JsonValue>>,
): { readonly metrics: ReadonlyArray<RunMetric>; readonly tolerance: Tolerance } => {
  const refuse = (received: string): never => {
    throw new BadData({
      where: "metrics.json",
      expected: "a tolerance, absolute and relative, and metrics of stage, name and value",
      received,
      fix: "publish the run again",
    })
  }
  const { tolerance, metrics } = file
  if (!isRecord(tolerance) || !Array.isArray(metrics)) return refuse("another form")
  const { absolute, relative } = tolerance
  if (typeof absolute !== "number" || typeof relative !== "number" || absolute < 0 || relative < 0) {
    return refuse(`the tolerance ${JSON.stringify(tolerance)}`)
  }
  return {
    tolerance: { absolute, relative },
    metrics: metrics.map((metric: JsonValue): RunMetric => {
      const { stage, name, value } = isRecord(metric) ? metric : {}
      const number = numberOf(value)
      return typeof stage === "string" && typeof name === "string" && number !== null
        ? { stage, name, value: number }
        : refuse(`the metric ${JSON.stringify(metric)?.slice(0, 80)}`)
    }),
  }
}

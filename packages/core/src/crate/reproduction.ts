/** Holds a run that was made again against the published one. */
import type { RunMetric } from "../runs/runMetrics.js"
import type { JsonValue } from "./entity.js"
import type { Tolerance } from "./metrics.js"
import type { RunRecord } from "./record.js"

/** What decides whether two runs must be the same to the bit: the engine, and the instructions that it uses. */
export interface Where {
  readonly engine: string
  readonly instructions: string
}

export interface Reproduction {
  /** Whether digests must be equal; else the metrics alone count, within the tolerance. */
  readonly exact: boolean
  readonly stages: ReadonlyArray<{
    readonly stage: string
    readonly port: string
    readonly published: string
    /** None where the stage made nothing. */
    readonly again: string | null
    readonly same: boolean
  }>
  readonly metrics: ReadonlyArray<{
    readonly stage: string
    readonly name: string
    readonly published: number
    readonly again: number | null
    readonly allowed: number
    readonly within: boolean
  }>
  /** Whether the run counts as reproduced. */
  readonly reproduced: boolean
}

/** Where a run took place, by its environment. A record that does not tell its instructions tells its processor. */
export const whereOf = (environment: Readonly<Record<string, JsonValue>>): Where => {
  const { engine, cpu } = environment
  const told =
    typeof cpu === "object" && cpu !== null && !Array.isArray(cpu) ? (cpu as Readonly<Record<string, JsonValue>>) : {}
  return { engine: String(engine), instructions: String(told.instructions ?? told.model ?? "unknown") }
}

/** What is not finite is near to itself alone. */
const isNear = (a: number, b: number, allowed: number): boolean =>
  Object.is(a, b) || a === b || (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= allowed)

export interface Made {
  readonly where: Where
  /** In the order in which they are to be told. */
  readonly digests: RunRecord["digests"]
  readonly metrics: ReadonlyArray<RunMetric>
}

/**
 * The same engine and instructions must give the same bits, artifact by artifact and number by number. Elsewhere rounding
 * differs, and each number must be as near as the published tolerance says.
 */
export const compareReproduction = (published: Made, again: Made, tolerance: Tolerance): Reproduction => {
  const exact =
    published.where.engine === again.where.engine && published.where.instructions === again.where.instructions
  const stages = Object.entries(published.digests).flatMap(([stage, ports]) =>
    Object.entries(ports).map(([port, digest]) => {
      const made = again.digests[stage]?.[port] ?? null
      return { stage, port, published: digest, again: made, same: made === digest }
    }),
  )
  const found = new Map(again.metrics.map(({ stage, name, value }) => [`${stage}\n${name}`, value]))
  const metrics = published.metrics.map(({ stage, name, value }) => {
    const made = found.get(`${stage}\n${name}`) ?? null
    const allowed = exact ? 0 : Math.max(tolerance.absolute, tolerance.relative * Math.abs(value))
    return {
      stage,
      name,
      published: value,
      again: made,
      allowed,
      within: made !== null && isNear(value, made, allowed),
    }
  })
  const near = metrics.every(({ within }) => within) && stages.every((stage) => stage.again !== null)
  return { exact, stages, metrics, reproduced: near && (!exact || stages.every(({ same }) => same)) }
}

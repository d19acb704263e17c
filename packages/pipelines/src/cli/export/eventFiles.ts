/** The scalars of a run as TensorBoard's event files: one folder a stage, which TensorBoard shows as a run each. */
import { join } from "node:path"
import {
  BadData,
  type DiskFailed,
  decodeEvents,
  type Files,
  pathSegment,
  type RunFacts,
  readFile,
  type ScalarPoint,
  type StampedEvent,
  scalarEvents,
} from "@millrace/core"
import { Effect } from "effect"
import { type Ended, failed, usage } from "../exit.js"

/** The steps of each stage in order. A run that went on from a checkpoint told some of them twice: the last time counts. */
const stepsOf = (
  events: ReadonlyArray<StampedEvent>,
  began: number,
): ReadonlyMap<string, ReadonlyArray<ScalarPoint>> => {
  const stages = new Map<string, Array<ScalarPoint>>()
  for (const event of events) {
    if (event.type !== "stage.step" || Object.keys(event.values).length === 0) continue
    const points = stages.get(event.stage) ?? []
    stages.set(event.stage, points)
    while (points.length > 0 && points.at(-1)!.step >= event.step) points.pop()
    points.push({ step: event.step, time: began + event.secondsSinceStart, values: event.values })
  }
  return stages
}

/**
 * @param stage  one stage alone; all of them without it
 * @fails Ended  2: no scalars; 1: events that cannot be read
 */
export const eventFiles = (run: RunFacts, stage?: string): Effect.Effect<Files, Ended> =>
  Effect.gen(function* () {
    const path = join(run.path, "events.jsonl")
    const damage = run.damage.find(({ file }) => file === "events.jsonl")
    if (damage !== undefined) {
      return yield* failed(
        new BadData({
          where: path,
          expected: "the events of a run, one a line",
          received: damage.what,
          fix: "take the file from where the run was made, or run the graph again",
        }),
      )
    }
    const bytes = yield* readFile(path).pipe(Effect.mapError((error: DiskFailed) => failed(error)))
    const told = run.began === undefined ? Number.NaN : Date.parse(run.began) / 1000
    const began = Number.isNaN(told) ? 0 : told
    const steps = [...stepsOf(decodeEvents(new TextDecoder().decode(bytes)), began)].filter(
      ([name]) => stage === undefined || name === stage,
    )
    if (steps.length === 0) {
      return yield* usage(
        new BadData({
          where: stage ?? run.id,
          expected: "a stage that told of its steps",
          received: stage === undefined ? "none in this run" : "none of them",
          fix: "name a run with a stage that trains",
        }),
      )
    }
    return Object.fromEntries(
      steps.map(([name, points]) => [
        `${pathSegment(name)}/events.out.tfevents.${Math.floor(began)}.millrace`,
        scalarEvents(began, points),
      ]),
    )
  })

/** What earlier processes of a run told of a stage that now goes on: with it the stage's record in the store tells all of it. */
import type { StampedEvent } from "./event.js"
import type { ToldEvent } from "./stageCache.js"

const stepOf = (event: ToldEvent): number => (event.type === "stage.step" ? event.step : 0)

/**
 * Those that stand: a step that was done again counts once, and none after the checkpoint does.
 * @param step  of the checkpoint that the stage went on from
 */
export const toldBefore = (
  events: ReadonlyArray<StampedEvent>,
  stage: string,
  step: number,
): ReadonlyArray<ToldEvent> => {
  let told: Array<ToldEvent> = []
  const before = (next: number): void => {
    const first = told.findIndex((event) => stepOf(event) >= next)
    if (first >= 0) told = told.slice(0, first)
  }
  for (const { sequence: _, secondsSinceStart: __, ...event } of events) {
    if (!("stage" in event) || event.stage !== stage) continue
    if (event.type === "stage.started" || event.type === "stage.failed" || event.type === "stage.ended") continue
    if (event.type === "stage.step") before(event.step)
    told.push(event)
  }
  before(step + 1)
  return told
}

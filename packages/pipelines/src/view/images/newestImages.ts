/** Which grids a terminal shows while a stage makes many: the newest of each title every few seconds, and the last. */
import type { StampedEvent } from "@millrace/core"

export type ImagesEvent = Extract<StampedEvent, { type: "stage.images" }>

/** Seconds between two grids of one title. */
const apart = 10

export interface NewestImages {
  /** What to show now: the grid, or nothing, if its title was shown a moment ago. */
  readonly hear: (event: ImagesEvent) => ReadonlyArray<ImagesEvent>
  /** What is left to show of a stage that has ended: the newest grid of each title that was not shown yet. */
  readonly left: (stage: string) => ReadonlyArray<ImagesEvent>
}

export const newestImages = (): NewestImages => {
  const told = new Map<string, number>()
  const waiting = new Map<string, ImagesEvent>()
  const show = (key: string, event: ImagesEvent): ImagesEvent => {
    told.set(key, event.secondsSinceStart)
    waiting.delete(key)
    return event
  }
  return {
    hear: (event) => {
      const key = JSON.stringify([event.stage, event.title])
      const last = told.get(key)
      if (last === undefined || event.secondsSinceStart - last >= apart) return [show(key, event)]
      waiting.set(key, event)
      return []
    },
    left: (stage) => [...waiting].filter(([, event]) => event.stage === stage).map(([key, event]) => show(key, event)),
  }
}

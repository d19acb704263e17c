/** Grids of images of one title over time: the first, the newest, and some between at equal distances. */
import type { RunEvent } from "../run/event.js"

export type Images = Omit<Extract<RunEvent, { type: "stage.images" }>, "type" | "stage">

export interface Pictures {
  /** How many there were. */
  readonly count: number
  /** Every so many are kept, besides the newest. */
  readonly stride: number
  /** In the order they came, each with its place among all. */
  readonly grids: ReadonlyArray<{ readonly place: number; readonly grid: Images }>
}

/** Enough to see learning, few enough to step through. */
export const mostGrids = 12

export const noPictures: Pictures = { count: 0, stride: 1, grids: [] }

/** The pictures with one more: never more than `mostGrids`, and the first and the newest always. */
export const addImages = ({ count, stride, grids }: Pictures, grid: Images): Pictures => {
  // A run that goes on from a checkpoint may show what it had shown: the same, in the same file.
  if (grids.some((known) => known.grid.file === grid.file)) return { count, stride, grids }
  const on = (step: number) => grids.filter(({ place }) => place % step === 0)
  const next = { place: count, grid }
  const kept = [...on(stride), next]
  return kept.length <= mostGrids
    ? { count: count + 1, stride, grids: kept }
    : { count: count + 1, stride: stride * 2, grids: [...on(stride * 2), next] }
}

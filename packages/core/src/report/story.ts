/**
 * What a run was, told from its events: what the report and the summary show. It is a fold over the events whose size
 * does not grow with the number of steps.
 */
import type { RunEvent, StampedEvent } from "../run/event.js"
import { addStep } from "./addStep.js"
import { addImages, noPictures, type Pictures } from "./pictures.js"

export type Table = Omit<Extract<RunEvent, { type: "stage.table" }>, "type" | "stage">
export type Samples = Omit<Extract<RunEvent, { type: "stage.samples" }>, "type" | "stage"> & {
  /** The step after which they were drawn, 0 before the first. */
  readonly step: number
}

export interface StageStory {
  readonly name: string
  node: string
  status: "waiting" | "running" | "done" | "cached" | "failed" | "stopped"
  startedAt: number
  seconds: number
  step: number
  steps: number
  /** Work done so far, in `unit`s. */
  amount: number
  unit: string
  /** Values of every `stride`-th step, at most `mostPoints` of them. */
  points: Array<{ readonly step: number; readonly values: Readonly<Record<string, number>> }>
  stride: number
  /** Values of the last step. */
  last: Readonly<Record<string, number>>
  /** Steps in which some value was no finite number. */
  nonFinite: number
  /** The first of them, each with the names of those values. */
  broken: ReadonlyArray<{ readonly step: number; readonly names: ReadonlyArray<string> }>
  tables: Map<string, Table>
  /** The first samples and the last. */
  samples: ReadonlyArray<Samples>
  /** Grids of images by title, at most `mostTitles`: of more, the oldest titles go. */
  images: Map<string, Pictures>
  notes: ReadonlyArray<string>
  digests: Readonly<Record<string, string>>
  /** The most bytes that the run's processes held together while it ran. */
  memory: number | undefined
  /** The run that made what was found in the store; `seconds` are those that it took there. */
  from: string | undefined
  error: string | undefined
}

export interface RunStory {
  run: string
  graph: string
  status: "running" | "done" | "failed" | "stopped"
  seconds: number
  readonly stages: Map<string, StageStory>
}

const mostNotes = 50
const mostTitles = 50

export const emptyStory = (): RunStory => ({ run: "", graph: "", status: "running", seconds: 0, stages: new Map() })

const newStage = (name: string): StageStory => ({
  name,
  node: "",
  status: "waiting",
  from: undefined,
  startedAt: 0,
  seconds: 0,
  step: 0,
  steps: 0,
  amount: 0,
  unit: "",
  points: [],
  stride: 1,
  last: {},
  nonFinite: 0,
  broken: [],
  tables: new Map(),
  samples: [],
  images: new Map(),
  notes: [],
  digests: {},
  memory: undefined,
  error: undefined,
})

const stageOf = (story: RunStory, name: string): StageStory => {
  const known = story.stages.get(name) ?? newStage(name)
  story.stages.set(name, known)
  return known
}

/** Adds one event to the story. */
export const tell = (story: RunStory, event: StampedEvent): void => {
  story.seconds = event.secondsSinceStart
  if (event.type === "run.started") {
    story.run = event.run
    story.graph = event.graph
    for (const name of event.stages) stageOf(story, name)
    return
  }
  if (event.type === "run.resumed") {
    story.status = "running"
    for (const stage of story.stages.values()) if (stage.status !== "done") stage.status = "waiting"
    return
  }
  if (event.type === "run.ended") {
    story.status = event.status
    story.seconds = event.seconds
    return
  }
  const stage = stageOf(story, event.stage)
  if (stage.status === "running") stage.seconds = event.secondsSinceStart - stage.startedAt
  switch (event.type) {
    case "stage.started":
      // What was found told of itself, and then runs after all: it tells again.
      if (stage.status === "cached") Object.assign(stage, newStage(stage.name))
      stage.node = event.node
      stage.status = "running"
      stage.startedAt = event.secondsSinceStart
      stage.steps = event.steps ?? 0
      stage.error = undefined
      return
    case "stage.step":
      addStep(stage, event)
      return
    case "stage.samples": {
      const { columns, rows } = event
      const [first] = stage.samples
      const drawn = { columns, rows, step: stage.step }
      stage.samples = first === undefined ? [drawn] : [first, drawn]
      return
    }
    case "stage.table": {
      const { title, columns, rows, curve } = event
      stage.tables.set(title, { title, columns, rows, ...(curve !== undefined && { curve }) })
      return
    }
    case "stage.images": {
      stage.images.set(event.title, addImages(stage.images.get(event.title) ?? noPictures, event))
      const [oldest] = stage.images.keys()
      if (stage.images.size > mostTitles && oldest !== undefined) stage.images.delete(oldest)
      return
    }
    case "stage.note":
      // A stage that goes on tells its beginning again.
      if (!stage.notes.includes(event.text)) stage.notes = [...stage.notes, event.text].slice(-mostNotes)
      return
    case "stage.ended":
      stage.status = "done"
      stage.seconds = event.seconds
      stage.digests = event.digests
      stage.memory = event.memory
      return
    case "stage.cached":
      stage.node = event.node
      stage.status = "cached"
      stage.from = event.from
      stage.seconds = event.seconds
      stage.digests = event.digests
      return
    case "stage.failed":
      stage.status = event.error === "stopped" ? "stopped" : "failed"
      stage.error = event.error
  }
}

/** The story of recorded events. */
export const storyOf = (events: Iterable<StampedEvent>): RunStory => {
  const story = emptyStory()
  for (const event of events) tell(story, event)
  return story
}

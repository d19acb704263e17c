/**
 * What a run folder says of its run, read again: the story from `events.jsonl`, the graph from `graph.json`, the machine from
 * `environment.json`, and the images that the story names. Files of a run are data like any other: what is damaged is said.
 */
import { join } from "node:path"
import { Effect, Exit, Schema } from "effect"
import { attempt } from "../attempt.js"
import { readFile } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { GraphJson } from "../graph/encode.js"
import { parseJson } from "../json.js"
import { readEvent } from "../run/eventSchema.js"
import { graphFactsOfJson } from "./graphFacts.js"
import type { ReportInput } from "./renderReport.js"
import { emptyStory, type RunStory, tell } from "./story.js"

/** A run that was read from its folder, ready for its report. */
export interface RecordedStory extends ReportInput {
  readonly folder: string
  /** The graph file, for those who have its nodes: `graphFacts` of the decoded graph tells more than the file does. */
  readonly graphJson: GraphJson
  readonly warnings: ReadonlyArray<string>
}

const text = (path: string): Effect.Effect<string, BadData | DiskFailed> =>
  Effect.flatMap(readFile(path), (bytes) =>
    Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => damaged(path, "UTF-8", "other bytes"),
    }),
  )

const damaged = (where: string, expected: string, received: string): BadData =>
  new BadData({
    where,
    expected,
    received,
    fix: "take the file from where the run was made, or run again with --seed and the same graph",
  })

const json = <A>(path: string, schema: Schema.Codec<A>): Effect.Effect<A, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const value = yield* parseJson(yield* text(path), path)
    return yield* Effect.mapError(Schema.decodeUnknownEffect(schema)(value), (error) =>
      damaged(path, "what a run writes there", String(error.message)),
    )
  })

/**
 * The events of a file, told one by one. A process that was killed leaves half of its last line: that one is left out and
 * said. Any other line that is no event is a damage.
 * @returns what the reader must know
 */
const tellAll = (story: RunStory, path: string, content: string): Effect.Effect<ReadonlyArray<string>, BadData> =>
  attempt(BadData, () => {
    const lines = content.split("\n")
    const unended = lines.length - 1
    const warnings: Array<string> = []
    const unknown = new Set<number>()
    for (const [i, line] of lines.entries()) {
      if (i === unended && line === "") continue
      const event = readEvent(line)
      if (event === "unknown") unknown.add(i)
      else if (event !== "damaged") tell(story, event)
      else if (i !== unended) throw damaged(path, "one event of a run a line", `line ${i + 1}: ${line.slice(0, 60)} …`)
      else {
        warnings.push(
          `The last line of events.jsonl was cut off, as happens when a run is killed: the ${i} events before it were read.`,
        )
      }
    }
    if (unknown.size > 0)
      warnings.push(
        `${unknown.size} ${unknown.size === 1 ? "event is of a kind" : "events are of kinds"} that this version of Millrace does not know.`,
      )
    return warnings
  })

const gaps = (story: RunStory): ReadonlyArray<string> =>
  story.status === "running" ? ["The run never told its end: it still runs, or was killed."] : []

/** The images that the story shows, by path. One that cannot be read is left out: the report then names its file. */
export const readImages = (folder: string, story: RunStory): Effect.Effect<ReadonlyMap<string, Uint8Array>> =>
  Effect.gen(function* () {
    const shown = [...story.stages.values()].flatMap(({ images }) => [...images.values()].flatMap(({ grids }) => grids))
    const read = new Map<string, Uint8Array>()
    for (const { file } of shown.map(({ grid }) => grid)) {
      const inside = /^images\/(?!.*(?:^|\/)\.\.(?:\/|$))/.test(file)
      const bytes = inside ? yield* Effect.exit(readFile(join(folder, file))) : undefined
      if (bytes !== undefined && Exit.isSuccess(bytes)) read.set(file, bytes.value)
    }
    return read
  })

/**
 * @param folder  of a run: `.runs/3f9c2a1b`
 * @fails BadData     a file is not what a run writes; the file and, of events, the line are named
 * @fails DiskFailed  a file is not there or cannot be read
 */
export const readStory = (folder: string): Effect.Effect<RecordedStory, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const graphJson = yield* json(join(folder, "graph.json"), GraphJson)
    const environment = yield* json(join(folder, "environment.json"), Schema.Record(Schema.String, Schema.Unknown))
    const story = emptyStory()
    const events = join(folder, "events.jsonl")
    const cut = yield* tellAll(story, events, yield* text(events))
    return {
      folder,
      graphJson,
      graph: graphFactsOfJson(graphJson),
      story,
      seed: String(environment.seed ?? "unknown"),
      environment,
      images: yield* readImages(folder, story),
      warnings: [...cut, ...gaps(story)],
    }
  })

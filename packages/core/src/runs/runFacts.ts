/**
 * What the folder of a run says of it, for lists and comparisons. A folder that was killed half way, copied in part or damaged
 * is still told: what cannot be read stands under `damage`, and the rest is as it is.
 */
import { basename, join, resolve } from "node:path"
import { Effect, Schema } from "effect"
import { lookAt, readFile } from "../disk/files.js"
import type { BadData, DiskFailed } from "../errors.js"
import { GraphJson } from "../graph/encode.js"
import { parseJson } from "../json.js"
import { emptyStory, type RunStory, tell } from "../report/story.js"
import { readEvent } from "../run/eventSchema.js"
import { RunJson, type RunOrigin } from "../run/runJson.js"
import { writersIn } from "../run/writers.js"

export interface RunFacts {
  /** The folder's name. */
  readonly id: string
  readonly path: string
  /** The graph's name. */
  readonly graph: string
  /** How the command found the graph; null where a program ran it. */
  readonly origin: RunOrigin | null
  readonly seed: string
  /** `onnx`, `tfjs:cpu` */
  readonly engine: string
  /** `killed` has told no end, and no process is at work on it. */
  readonly state: "done" | "failed" | "stopped" | "running" | "killed"
  /** The process that is at work on it. */
  readonly writer: number | undefined
  /** The machine's clock when it began, as ISO 8601 has it. */
  readonly began: string | undefined
  readonly story: RunStory
  readonly nodes: GraphJson | undefined
  readonly environment: Readonly<Record<string, unknown>>
  /** What is wrong with the folder, one file a line. */
  readonly damage: ReadonlyArray<string>
}

const Environment = Schema.Record(Schema.String, Schema.Unknown)
const marks = ["graph.json", "run.json", "environment.json", "events.jsonl"]

/** Steps are most of a file, and some questions need none of them. */
const isStep = (line: string): boolean => line.startsWith('{"type":"stage.step"')

const storyIn = (
  text: string,
  steps: boolean,
): { readonly story: RunStory; readonly damage: ReadonlyArray<string> } => {
  const lines = text.split("\n").slice(0, -1)
  const asked = steps ? lines : lines.filter((line) => !isStep(line))
  const story = emptyStory()
  let wrong = 0
  for (const line of asked) {
    const event = readEvent(line)
    if (event === "damaged") wrong++
    // A kind that a later version tells is no damage.
    else if (event !== "unknown") tell(story, event)
  }
  return {
    story,
    damage: wrong === 0 ? [] : [`events.jsonl: ${wrong} of ${lines.length} lines are no events of a run`],
  }
}

/** Whether there is a run in a folder, whatever its state. */
export const isRunFolder = (path: string): Effect.Effect<boolean, DiskFailed> =>
  Effect.gen(function* () {
    for (const name of marks) if ((yield* lookAt(join(path, name)))?.kind === "file") return true
    return false
  })

/**
 * The facts of a run.
 * @param steps  false leaves the steps of its stages out: a list of runs needs none, and reads faster
 * @fails DiskFailed  a file is there and cannot be read
 */
export const readRunFacts = (folder: string, { steps = true } = {}): Effect.Effect<RunFacts, DiskFailed> =>
  Effect.gen(function* () {
    const path = resolve(folder)
    const damage: Array<string> = []
    const text = (name: string) =>
      Effect.gen(function* () {
        if ((yield* lookAt(join(path, name)))?.kind !== "file") {
          damage.push(`${name}: not there`)
          return undefined
        }
        return new TextDecoder().decode(yield* readFile(join(path, name)))
      })
    const json = <A>(name: string, schema: Schema.Codec<A>): Effect.Effect<A | undefined, DiskFailed> =>
      Effect.gen(function* () {
        const content = yield* text(name)
        if (content === undefined) return undefined
        return yield* parseJson(content, name).pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(schema)),
          Effect.catch((error: BadData | Schema.SchemaError) => {
            const [why = ""] = ("received" in error ? error.received : error.message).split("\n")
            damage.push(`${name}: not what a run writes there (${why})`)
            return Effect.succeed(undefined)
          }),
        )
      })

    const nodes = yield* json("graph.json", GraphJson)
    const environment = (yield* json("environment.json", Environment)) ?? {}
    const run = yield* json("run.json", RunJson)
    const { story, damage: lost } = storyIn((yield* text("events.jsonl")) ?? "", steps)
    damage.push(...lost)
    const writer = (yield* writersIn(path)).find(({ alive }) => alive)?.pid
    const label = (name: string): string | undefined => {
      const value = environment[name]
      return typeof value === "string" ? value : undefined
    }
    return {
      id: basename(path),
      path,
      graph: run?.name ?? nodes?.name ?? "?",
      origin: run?.origin ?? null,
      seed: run?.seed ?? label("seed") ?? "?",
      engine: run?.engine ?? label("backend") ?? "?",
      state: writer !== undefined ? "running" : story.status === "running" ? "killed" : story.status,
      writer,
      began: label("startedAt"),
      story,
      nodes,
      environment,
      damage,
    }
  })

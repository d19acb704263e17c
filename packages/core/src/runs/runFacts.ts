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
import type { RunStory } from "../report/story.js"
import { storyOfFile } from "../report/storyOfFile.js"
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
  /** Files that are missing, or not as a run writes them. */
  readonly damage: ReadonlyArray<Damage>
  /** What a reader must know of a record that is not damaged: that its run was killed, for one. */
  readonly warnings: ReadonlyArray<string>
}

export interface Damage {
  readonly file: string
  readonly what: string
}

/** `events.jsonl: not there` */
export const damageText = ({ file, what }: Damage): string => `${file}: ${what}`

const Environment = Schema.Record(Schema.String, Schema.Unknown)
const marks = ["graph.json", "run.json", "environment.json", "events.jsonl"]

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
    const damage: Array<Damage> = []
    const bytesOf = (file: string) =>
      Effect.gen(function* () {
        if ((yield* lookAt(join(path, file)))?.kind === "file") return yield* readFile(join(path, file))
        damage.push({ file, what: "not there" })
        return undefined
      })
    const json = <A>(file: string, schema: Schema.Codec<A>): Effect.Effect<A | undefined, DiskFailed> =>
      Effect.gen(function* () {
        const bytes = yield* bytesOf(file)
        if (bytes === undefined) return undefined
        return yield* parseJson(new TextDecoder().decode(bytes), file).pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(schema)),
          Effect.catch((error: BadData | Schema.SchemaError) => {
            const [why = ""] = ("received" in error ? error.received : error.message).split("\n")
            damage.push({ file, what: `not what a run writes there (${why})` })
            return Effect.succeed(undefined)
          }),
        )
      })

    const nodes = yield* json("graph.json", GraphJson)
    const environment = (yield* json("environment.json", Environment)) ?? {}
    const run = yield* json("run.json", RunJson)
    const told = storyOfFile((yield* bytesOf("events.jsonl")) ?? new Uint8Array(), { steps })
    if (told.damage !== undefined) damage.push({ file: "events.jsonl", what: told.damage })
    const { story } = told
    const writer = (yield* writersIn(path)).find(({ alive }) => alive)?.pid
    const state = writer !== undefined ? "running" : story.status === "running" ? "killed" : story.status
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
      state,
      writer,
      began: label("startedAt"),
      story,
      nodes,
      environment,
      damage,
      warnings: [
        ...told.warnings,
        ...(state === "running" ? ["The run is not over: a process is at work on it."] : []),
        ...(state === "killed" ? ["The run never told its end: it was killed."] : []),
      ],
    }
  })

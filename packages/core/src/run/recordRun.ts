/** Runs a graph into a folder of its own: everything that the run was, written while it happens. */
import { Cause, Effect, Exit } from "effect"
import { Engine } from "../engine.js"
import type { BadConfig, BadData, DiskFailed, NodeFailed } from "../errors.js"
import { encodeGraph, graphHash } from "../graph/encode.js"
import type { Graph } from "../graph.js"
import { jsonHash } from "../json.js"
import { keyFromSeed } from "../random/key.js"
import { functionFacts } from "../report/functionFacts.js"
import { graphFacts } from "../report/graphFacts.js"
import { readImages } from "../report/readStory.js"
import { renderReport } from "../report/renderReport.js"
import { emptyStory, type RunStory, tell } from "../report/story.js"
import { summaryOf } from "../report/summary.js"
import type { Machine } from "../store/stageKey.js"
import { storeAt, storeIn } from "../store/store.js"
import { type Environment, environmentOf } from "./environment.js"
import { type RunEvents, runEvents } from "./events.js"
import { makeRunFolder, type RunFolder } from "./folder.js"
import { type RunResult, runGraph } from "./runGraph.js"
import { type StageCacheOptions, stageCache } from "./stageCache.js"
import { writeEvents } from "./writeEvents.js"

/** How a graph is found again: by the command's arguments. */
export interface RunOrigin {
  /** A built-in name, or the path of a module. */
  readonly graph: string
  readonly preset: string | null
  readonly set: ReadonlyArray<string>
}

export interface RecordOptions {
  /** The folder of all runs. `.runs` by default. */
  readonly root?: string
  readonly seed: number | bigint | string
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Give your own to listen from the first event on. */
  readonly events?: RunEvents
  /** Called once the folder is there, before the first stage. */
  readonly begun?: (folder: RunFolder) => void
  /** The command that makes this run again, for the report. */
  readonly command?: string
  /** Where the graph comes from, for `run.json`: what is needed to run it again from the folder alone. */
  readonly origin?: RunOrigin
  /**
   * What becomes of the store, `<root>/.store`: `use` takes from it what was made before, `renew` runs every stage and keeps
   * what it makes, `off` leaves it alone. `off` by default: what a stage closes over is not part of its key.
   */
  readonly cache?: "use" | "renew" | "off"
}

export interface RecordedRun extends RunResult {
  readonly folder: RunFolder
  readonly story: RunStory
}

/** What decides results beside the graph and the seed. */
export const machineOf = (engine: Engine["Service"], { cpu, packages }: Environment): Machine => ({
  engine: `${engine.name} ${engine.version}`,
  instructions: cpu.instructions,
  millrace: packages["@millrace/core"] ?? "unknown",
})

const cacheOf = (mode: "use" | "renew" | "off", options: Omit<StageCacheOptions, "read">) =>
  mode === "off" ? {} : { cache: stageCache({ ...options, read: mode === "use" }) }

/** Milliseconds after which a report that a run waits for captures no further program. */
const longestCapturing = 500

/**
 * Runs a graph and leaves `graph.json`, `run.json`, `environment.json`, `events.jsonl`, `artifacts/`, `images/`, `digests.json`,
 * `SUMMARY.txt` and `report.html` in a new folder, also when the run fails or is stopped.
 * @fails  NodeFailed  a stage failed
 * @fails  BadData     a stage returned less than it promised
 * @fails  DiskFailed  the folder cannot be written
 * @fails  BadConfig   the graph is no graph of stages
 */
export const recordRun = (
  graph: Graph,
  options: RecordOptions,
): Effect.Effect<RecordedRun, NodeFailed | BadData | BadConfig | DiskFailed, Engine> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const hash = graphHash(graph)
    const seed = String(options.seed)
    const key = keyFromSeed(options.seed)
    const events = options.events ?? runEvents()
    const root = options.root ?? ".runs"
    const folder = yield* makeRunFolder(root, jsonHash([hash, key.hi, key.lo]).slice(0, 8))
    const environment = {
      ...(yield* environmentOf(engine.version)),
      backend: engine.name,
      seed,
      graph: hash,
    }
    yield* folder.writeJson("graph.json", encodeGraph(graph))
    yield* folder.writeJson("environment.json", environment)
    const { origin = null } = options
    yield* folder.writeJson("run.json", { name: graph.name, graph: hash, seed, engine: engine.name, origin })
    const story = emptyStory()
    const listening = events.all.subscribe((event) => tell(story, event))
    options.begun?.(folder)

    const finish = Effect.gen(function* () {
      const digests = [...story.stages.values()].filter(({ status }) => status === "done" || status === "cached")
      yield* folder.writeJson("digests.json", Object.fromEntries(digests.map((stage) => [stage.name, stage.digests])))
      yield* folder.write("SUMMARY.txt", summaryOf(graph.name, seed, engine.version, story))
      const until = performance.now() + longestCapturing
      const functions = functionFacts(graph, { mayCapture: () => performance.now() < until })
      const report = renderReport({
        graph: { ...graphFacts(graph), functions },
        images: yield* readImages(folder.path, story),
        story,
        seed,
        environment,
        ...(options.command !== undefined && { command: options.command }),
      })
      yield* folder.write("report.html", report)
    })

    const running = Effect.gen(function* () {
      const written = yield* writeEvents(events.all, `${folder.path}/events.jsonl`)
      const { keep } = folder
      const inputs = options.inputs ?? {}
      const result = yield* runGraph(graph, {
        run: folder.id,
        graphHash: hash,
        key,
        events,
        inputs,
        keep,
        ...cacheOf(options.cache ?? "off", {
          store: storeAt(storeIn(root)),
          run: folder.id,
          graph: graph.name,
          machine: machineOf(engine, environment),
        }),
      })
      yield* written.flush
      return result
    }).pipe(Effect.scoped)

    const result = yield* running.pipe(
      Effect.onExit((exit) =>
        Effect.gen(function* () {
          listening.unsubscribe()
          const finished = yield* Effect.exit(finish)
          // What failed first is what the caller must hear of.
          if (Exit.isFailure(finished) && Exit.isSuccess(exit)) return yield* Effect.failCause(finished.cause)
          if (Exit.isFailure(finished)) yield* Effect.logWarning(Cause.pretty(finished.cause))
        }),
      ),
    )
    return { ...result, folder, story }
  })

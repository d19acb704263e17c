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
import { environmentOf } from "./environment.js"
import { type RunEvents, runEvents } from "./events.js"
import { makeRunFolder, type RunFolder } from "./folder.js"
import { type RunResult, runGraph } from "./runGraph.js"
import { writeEvents } from "./writeEvents.js"

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
}

export interface RecordedRun extends RunResult {
  readonly folder: RunFolder
  readonly story: RunStory
}

/** Milliseconds after which a report that a run waits for captures no further program. */
const longestCapturing = 500

/**
 * Runs a graph and leaves `graph.json`, `environment.json`, `events.jsonl`, `artifacts/`, `images/`, `digests.json`,
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
    const folder = yield* makeRunFolder(options.root ?? ".runs", jsonHash([hash, key.hi, key.lo]).slice(0, 8))
    const environment = {
      ...(yield* environmentOf(engine.version)),
      backend: engine.name,
      seed,
      graph: hash,
    }
    yield* folder.writeJson("graph.json", encodeGraph(graph))
    yield* folder.writeJson("environment.json", environment)
    const story = emptyStory()
    const listening = events.all.subscribe((event) => tell(story, event))
    options.begun?.(folder)

    const finish = Effect.gen(function* () {
      const digests = [...story.stages.values()].filter(({ status }) => status === "done")
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
      const result = yield* runGraph(graph, { run: folder.id, graphHash: hash, key, events, inputs, keep })
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

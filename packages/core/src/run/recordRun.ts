/** Runs a graph into a folder of its own: everything that the run was, written while it happens. */
import { join } from "node:path"
import { Cause, Effect, Exit } from "effect"
import { filter } from "rxjs"
import { checkpointFolder } from "../checkpoint/checkpointFolder.js"
import type { Patience } from "../checkpoint/longStage.js"
import { Engine } from "../engine.js"
import type { BadConfig, BadData, DiskFailed, NodeFailed } from "../errors.js"
import type { Graph } from "../graph.js"
import { keyFromSeed } from "../random/key.js"
import { functionFacts } from "../report/functionFacts.js"
import { graphFacts } from "../report/graphFacts.js"
import { readImages } from "../report/readStory.js"
import { renderReport } from "../report/renderReport.js"
import { emptyStory, type RunStory, type StageStory, tell } from "../report/story.js"
import { summaryOf } from "../report/summary.js"
import { keyParts, type Machine, stageKey } from "../store/stageKey.js"
import { storeAt, storeIn } from "../store/store.js"
import { beginRun } from "./beginRun.js"
import type { Environment } from "./environment.js"
import { type RunEvents, runEvents } from "./events.js"
import type { RunFolder } from "./folder.js"
import { pathSegment } from "./keptPath.js"
import { type RunResult, runGraph } from "./runGraph.js"
import type { RunOrigin } from "./runJson.js"
import { type StageCacheOptions, stageCache } from "./stageCache.js"
import { writeEvents } from "./writeEvents.js"

export interface RecordOptions extends Patience {
  /** The folder of all runs. `.runs` by default. */
  readonly root?: string
  readonly seed: number | bigint | string
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Give your own to listen from the first event on. */
  readonly events?: RunEvents
  /** The folder of a run of this graph and seed that was stopped or killed: it goes on there. */
  readonly resume?: RunFolder
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

const hasEnded = ({ status }: StageStory): boolean => status === "done" || status === "cached"

/** Milliseconds after which a report that a run waits for captures no further program. */
const longestCapturing = 500

/**
 * Runs a graph and leaves `graph.json`, `run.json`, `environment.json`, `events.jsonl`, `artifacts/`, `images/`, `digests.json`,
 * `SUMMARY.txt` and `report.html` in a new folder, also when the run fails or is stopped.
 * @fails  NodeFailed  a stage failed
 * @fails  BadData     a stage returned less than it promised
 * @fails  DiskFailed  the folder cannot be written
 * @fails  BadConfig   the graph is no graph of stages, or not that of the folder to go on in
 *
 * With `resume` it goes on where a run was stopped or killed, at any moment, and ends with the digests of one that was not: what
 * stages had made is taken from the store (`cache`), and a stage with steps goes on from its newest checkpoint that is whole.
 */
export const recordRun = (
  graph: Graph,
  options: RecordOptions,
): Effect.Effect<RecordedRun, NodeFailed | BadData | BadConfig | DiskFailed, Engine> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const { events = runEvents(), root = ".runs" } = options
    const { folder, environment, earlier } = yield* beginRun(graph, options, engine)
    const { seed, graph: hash } = environment
    const machine = machineOf(engine, environment)
    const story = emptyStory()
    for (const event of earlier ?? []) tell(story, event)
    const ended = [...story.stages.values()].filter(hasEnded)
    const goesOn = earlier && {
      earlier: {
        seconds: earlier.at(-1)?.secondsSinceStart ?? 0,
        digests: Object.fromEntries(ended.map(({ name, digests }) => [name, digests])),
        events: earlier,
        image: folder.read,
      },
    }
    const news = events.all.pipe(filter(({ sequence }) => sequence > (earlier?.at(-1)?.sequence ?? -1)))
    if (earlier !== undefined) events.after(earlier)
    const listening = news.subscribe((event) => tell(story, event))
    options.begun?.(folder)

    const finish = Effect.gen(function* () {
      const digests = [...story.stages.values()].filter(hasEnded)
      yield* folder.writeJson("digests.json", Object.fromEntries(digests.map((stage) => [stage.name, stage.digests])))
      yield* folder.write("SUMMARY.txt", summaryOf(graph.name, seed, engine.version, story))
      const until = performance.now() + longestCapturing
      const functions = functionFacts(graph, { mayCapture: () => performance.now() < until })
      const report = renderReport({
        graph: { ...graphFacts(graph), functions },
        images: yield* readImages(folder.path, story),
        story,
        seed,
        environment: { ...environment },
        ...(options.command !== undefined && { command: options.command }),
      })
      yield* folder.write("report.html", report)
    })

    const running = Effect.gen(function* () {
      const written = yield* writeEvents(news, `${folder.path}/events.jsonl`)
      const { keep } = folder
      const inputs = options.inputs ?? {}
      const result = yield* runGraph(graph, {
        run: folder.id,
        graphHash: hash,
        key: keyFromSeed(options.seed),
        events,
        inputs,
        keep,
        // Also of a run that will be killed: garbage collection keeps what the folder names.
        ended: (digests) => folder.writeJson("digests.json", digests),
        checkpoints: ({ node, stage, key, inputs: given }, tell) =>
          checkpointFolder(
            join(folder.path, "checkpoints", pathSegment(stage)),
            stageKey(keyParts(node, given, key, machine)),
            tell,
          ),
        ...(options.checkpointSeconds !== undefined && { checkpointSeconds: options.checkpointSeconds }),
        ...(options.graceSeconds !== undefined && { graceSeconds: options.graceSeconds }),
        ...goesOn,
        ...cacheOf(options.cache ?? "off", {
          store: storeAt(storeIn(root)),
          run: folder.id,
          graph: graph.name,
          machine,
        }),
      })
      yield* written.flush
      return result
    }).pipe(
      Effect.scoped,
      Effect.withSpan(`run ${graph.name}`, { attributes: { "millrace.run": folder.id, "millrace.graph": hash } }),
    )

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
  }).pipe(Effect.scoped)

/** `millrace run`: loads a graph, runs it into a folder, shows it on the way. */
import { relative } from "node:path"
import {
  type EngineName,
  Engines,
  type RecordedRun,
  type RunFolder,
  type RunStory,
  recordRun,
  runEvents,
  textTable,
} from "@millrace/core"
import { Effect, Option } from "effect"
import { asksSixel, isInForeground } from "../view/images/asksSixel.js"
import { type ImageProtocol, imageProtocol } from "../view/images/imageProtocol.js"
import { showRun } from "../view/terminal.js"
import { Ended, failed, invalid } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { planFor } from "./planFor.js"
import { planText } from "./planText.js"
import { seedOf } from "./seed.js"
import { withSettings } from "./settings.js"

export interface RunArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly seed: string
  readonly engine: EngineName
  readonly set: ReadonlyArray<string>
  readonly out: string
  readonly quiet: boolean
  readonly json: boolean
  readonly images: ImageProtocol | "auto"
  /** Whether stages that were made before are taken from the store. */
  readonly cache: boolean
  readonly dryRun: boolean
}

const shellWord = (text: string): string => (/^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

const named = Option.match({ onNone: () => [], onSome: (name: string) => ["--preset", name] })

const commandOf = ({ graph, preset, seed, engine, set }: RunArguments): string =>
  [
    "millrace",
    "run",
    graph,
    ...named(preset),
    "--seed",
    seed,
    "--engine",
    engine,
    ...set.flatMap((one) => ["--set", one]),
  ]
    .map(shellWord)
    .join(" ")

const tablesOf = (story: RunStory) =>
  [...story.stages.values()].flatMap((stage) =>
    [...stage.tables.values()].map((table) => ({ stage: stage.name, ...table })),
  )

/** Those that the report shows: the first of each title, the last, and some between; the folder has them all. */
const imagesOf = (story: RunStory) =>
  [...story.stages.values()].flatMap((stage) =>
    [...stage.images].flatMap(([title, { grids }]) =>
      grids.map(({ grid: { step, file } }) => ({ stage: stage.name, title, step, file })),
    ),
  )

const finite = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value

const answerJson = ({ folder, digests, story }: RecordedRun): string =>
  JSON.stringify(
    {
      run: folder.id,
      folder: folder.path,
      status: story.status,
      seconds: story.seconds,
      digests,
      tables: tablesOf(story),
      images: imagesOf(story),
    },
    finite,
    2,
  )

/** The tables of the last stage that made some are the answer; the report has them all. */
const answerText = ({ story }: RecordedRun): string => {
  const tables = tablesOf(story)
  const last = tables.at(-1)?.stage
  return tables
    .filter(({ stage }) => stage === last)
    .map(textTable)
    .join("\n\n")
}

const tell = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))
const answer = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void (text === "" || process.stdout.write(`${text}\n`)))

/** How this terminal shows images: by what it says of itself in its environment, or by its answer. */
const protocolOf = ({ images, quiet }: RunArguments): Effect.Effect<ImageProtocol> =>
  Effect.gen(function* () {
    const known = quiet ? "off" : imageProtocol(process.stderr, process.env, images)
    if (known !== "ask") return known
    return isInForeground() && (yield* asksSixel(process.stderr, process.stdin)) ? "sixel" : "path"
  })

/** A path as short as it can be said from here. */
const shortPath = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short.startsWith("..") ? path : short
}

/** @fails Ended  2 usage, 3 graph invalid, 1 run failed */
export const runCommand = (given: RunArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    if (given.dryRun) {
      const plan = yield* planFor(graph, given)
      return yield* answer(given.json ? JSON.stringify(plan, null, 2) : planText(plan))
    }
    const events = runEvents()
    let folder: RunFolder | undefined
    const images = {
      protocol: yield* protocolOf(given),
      folder: () => (folder === undefined ? undefined : shortPath(folder.path)),
    }
    const view = given.quiet ? undefined : showRun(events.all, { screen: process.stderr, env: process.env, images })
    const recorded = yield* recordRun(graph, {
      root: given.out,
      seed: seedOf(given.seed),
      events,
      command: commandOf(given),
      origin: { graph: given.graph, preset: Option.getOrNull(given.preset), set: given.set },
      cache: given.cache ? "use" : "renew",
      begun: (made) => {
        folder = made
      },
    }).pipe(
      Effect.mapError((error) => (error._tag === "BadConfig" ? invalid(error) : failed(error))),
      Effect.provide(Engines.layer(given.engine)),
      Effect.mapError((error) => (error instanceof Ended ? error : failed(error))),
      Effect.ensuring(Effect.sync(() => view?.unsubscribe())),
      Effect.onInterrupt(() =>
        folder === undefined
          ? tell("stopped before anything was made")
          : tell(`stopped; what was made is kept in ${folder.path}`),
      ),
      Effect.tapError(() => (folder === undefined ? Effect.void : tell(`what was made is kept in ${folder.path}`))),
    )
    yield* answer(given.json ? answerJson(recorded) : answerText(recorded))
    if (!given.quiet) yield* tell(`\nreport  ${recorded.folder.path}/report.html`)
  })

/** Runs a graph into a folder, shows it on the way, and answers: what `run` and `resume` have in common. */
import { relative } from "node:path"
import {
  type EngineName,
  Engines,
  type Graph,
  type RecordOptions,
  type RunFolder,
  recordRun,
  runEvents,
} from "@millrace/core"
import { Effect } from "effect"
import { asksSixel, isInForeground } from "../view/images/asksSixel.js"
import { type ImageProtocol, imageProtocol } from "../view/images/imageProtocol.js"
import { showRun } from "../view/terminal.js"
import { Ended, failed, invalid } from "./exit.js"
import { answerJson, answerText } from "./runAnswer.js"
import { shellWord } from "./shellWord.js"
import { traces } from "./traces.js"

/** How a run is shown. */
export interface Shown {
  readonly quiet: boolean
  readonly json: boolean
  readonly images: ImageProtocol | "auto"
}

const tell = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))
const answer = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void (text === "" || process.stdout.write(`${text}\n`)))

/** How this terminal shows images: by what it says of itself in its environment, or by its answer. */
const protocolOf = ({ images, quiet }: Shown): Effect.Effect<ImageProtocol> =>
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

/** Seconds between checkpoints, where the environment says other than the default. */
const checkpointSeconds = (): { readonly checkpointSeconds?: number } => {
  const seconds = Number(process.env.MILLRACE_CHECKPOINT_SECONDS ?? "")
  return process.env.MILLRACE_CHECKPOINT_SECONDS !== undefined && seconds >= 0 ? { checkpointSeconds: seconds } : {}
}

/** @fails Ended  3 graph invalid, 1 run failed */
export const record = (
  graph: Graph,
  engine: EngineName,
  options: Omit<RecordOptions, "events" | "begun">,
  shown: Shown,
): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const events = runEvents()
    let folder: RunFolder | undefined
    const images = {
      protocol: yield* protocolOf(shown),
      folder: () => (folder === undefined ? undefined : shortPath(folder.path)),
    }
    const view = shown.quiet ? undefined : showRun(events.all, { screen: process.stderr, env: process.env, images })
    const kept = (how: string) =>
      Effect.suspend(() =>
        folder === undefined
          ? Effect.void
          : tell(
              `${how}what was made is kept in ${folder.path}\ngo on with  millrace resume ${shellWord(shortPath(folder.path))}`,
            ),
      )
    const recorded = yield* recordRun(graph, {
      ...checkpointSeconds(),
      ...options,
      events,
      begun: (made) => {
        folder = made
      },
    }).pipe(
      Effect.mapError((error) => (error._tag === "BadConfig" ? invalid(error) : failed(error))),
      Effect.provide(Engines.layer(engine)),
      Effect.provide(traces()),
      Effect.mapError((error) => (error instanceof Ended ? error : failed(error))),
      Effect.ensuring(Effect.sync(() => view?.unsubscribe())),
      Effect.onInterrupt(() => (folder === undefined ? tell("stopped before anything was made") : kept("stopped; "))),
      Effect.tapError(() => kept("")),
    )
    yield* answer(shown.json ? answerJson(recorded) : answerText(recorded))
    if (!shown.quiet) yield* tell(`\nreport  ${recorded.folder.path}/report.html`)
  })

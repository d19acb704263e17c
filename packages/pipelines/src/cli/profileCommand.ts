/** `millrace profile`: where the time and memory of a step go. */
import { writeFile } from "node:fs/promises"
import { BadData, chromeTrace, type EngineName, Engines, type Profile, profile } from "@millrace/core"
import { Effect, Option } from "effect"
import { type Ended, failed } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { profileTarget } from "./profileTarget.js"
import { profileText } from "./profileText.js"
import { withSettings } from "./settings.js"
import { sizesOf } from "./sizes.js"

export interface ProfileArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly set: ReadonlyArray<string>
  readonly stage: Option.Option<string>
  readonly fn: Option.Option<string>
  readonly size: ReadonlyArray<string>
  readonly runs: number
  readonly engine: EngineName
  readonly trace: Option.Option<string>
  readonly json: boolean
}

const keepTrace = (file: string, { timeline }: Profile): Effect.Effect<void, Ended> =>
  Effect.tryPromise({
    try: () => writeFile(file, JSON.stringify(chromeTrace(timeline))),
    catch: (cause) =>
      failed(
        new BadData({
          where: "--trace",
          expected: "a file that can be written",
          received: cause instanceof Error ? cause.message : String(cause),
          fix: "name a file in a folder that is there",
        }),
      ),
  })

const answerJson = ({ timeline, ...profile }: Profile): string => JSON.stringify(profile, null, 2)

const print = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${text}\n`))
const tell = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))

/** @fails Ended  2 usage, 3 graph invalid, 1 the engine or the function failed */
export const profileCommand = (given: ProfileArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const sizes = yield* sizesOf(given.size)
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    const { fn, state } = yield* profileTarget({
      graph,
      stage: Option.getOrUndefined(given.stage),
      fn: Option.getOrUndefined(given.fn),
      sizes,
    })
    const measured = yield* profile(fn, { state, runs: given.runs }).pipe(
      Effect.provide(Engines.layer(given.engine)),
      Effect.mapError(failed),
    )
    yield* print(given.json ? answerJson(measured) : profileText(measured))
    if (Option.isSome(given.trace)) {
      yield* keepTrace(given.trace.value, measured)
      yield* tell(`trace  ${given.trace.value}, for chrome://tracing or ui.perfetto.dev`)
    }
  })

/** `millrace report`: the report of a run written anew, or one page that compares two. */
import { basename, join, resolve } from "node:path"
import {
  functionFacts,
  graphFacts,
  type RecordedStory,
  readStory,
  renderComparison,
  renderReport,
  runMetrics,
  type ShownRun,
  writeWhole,
} from "@millrace/core"
import { Effect, Option, Result } from "effect"
import { commandOf } from "./commandOf.js"
import { type Ended, failed } from "./exit.js"
import { findRun } from "./findRun.js"
import { graphOfRun } from "./graphOfRun.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"

export interface ReportArguments {
  readonly run: string
  readonly with: Option.Option<string>
  readonly to: Option.Option<string>
  readonly module: ReadonlyArray<string>
  readonly out: string
  readonly quiet: boolean
  readonly json: boolean
}

/** A page of one run: what its folder says; and of its graph what its nodes say, where their module is found. */
const pageOf = ({ facts, ...story }: RecordedStory, { module, quiet }: ReportArguments): Effect.Effect<string> =>
  Effect.gen(function* () {
    const graph = yield* Effect.result(graphOfRun(facts, module))
    if (Result.isFailure(graph) && !quiet) {
      process.stderr.write(
        `what stages call is left out: the node types of ${facts.graph} are not found; see --module\n`,
      )
    }
    return renderReport({
      ...story,
      ...(Result.isSuccess(graph) && {
        graph: { ...graphFacts(graph.success), functions: functionFacts(graph.success) },
      }),
      ...(facts.origin !== null && { command: commandOf(facts.origin, facts.seed, facts.engine) }),
    })
  })

const shownOf = ({ facts, images }: RecordedStory): Effect.Effect<ShownRun, Ended> =>
  runMetrics(facts).pipe(
    Effect.map((metrics) => ({ ...facts, metrics, images })),
    Effect.mapError(failed),
  )

/** @fails Ended  2: no such run; 1: one that is damaged, or the disk */
export const reportCommand = (given: ReportArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const read = (path: string) => readStory(path).pipe(Effect.mapError(failed))
    const path = yield* findRun(given.run, given.out)
    const other = Option.isSome(given.with) ? yield* findRun(given.with.value, given.out) : undefined
    const own = yield* read(path)
    const page =
      other === undefined
        ? yield* pageOf(own, given)
        : renderComparison(yield* shownOf(own), yield* shownOf(yield* read(other)))
    const file = Option.getOrElse(given.to, () =>
      other === undefined ? join(path, "report.html") : `${basename(path)}-${basename(other)}.html`,
    )
    const bytes = new TextEncoder().encode(page)
    yield* writeWhole(resolve(file), bytes).pipe(Effect.mapError(failed))
    yield* print(given.json ? jsonText({ report: resolve(file), bytes: bytes.length }) : file)
  })

/** `millrace reproduce`: runs a crate's graph again from the crate alone, and compares. */
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import {
  claimFolder,
  type Difference,
  Engines,
  environmentDifferences,
  makeFolder,
  type RecordedRun,
  recordRun,
  removeAll,
  runEvents,
} from "@millrace/core"
import {
  compareReproduction,
  metricsOf,
  type OpenCrate,
  type Reproduction,
  readRunFiles,
  unpackFiles,
  whereOf,
} from "@millrace/core/crate"
import { BadConfig, BadData, type EngineName, engineNames } from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { showRun } from "../view/terminal.js"
import { Ended, failed, invalid, mismatch, usage } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { print } from "./print.js"
import { readCrate } from "./readCrate.js"
import { reproductionText } from "./reproduceText.js"
import { seedOf } from "./seed.js"

export interface ReproduceArguments {
  readonly crate: string
  readonly module: ReadonlyArray<string>
  readonly engine: Option.Option<EngineName>
  readonly keep: Option.Option<string>
  readonly quiet: boolean
  readonly json: boolean
}

const isEngine = (name: unknown): name is EngineName => engineNames.some((engine) => engine === name)

/** The engine of the published run, unless another is asked for. */
const engineOf = ({ environment }: OpenCrate, asked: Option.Option<EngineName>): Effect.Effect<EngineName, Ended> => {
  if (Option.isSome(asked)) return Effect.succeed(asked.value)
  const { backend } = environment
  if (isEngine(backend)) return Effect.succeed(backend)
  return Effect.fail(
    invalid(
      new BadData({
        where: "environment.json",
        expected: `an engine: ${engineNames.join(", ")}`,
        received: JSON.stringify(backend) ?? "none",
        fix: "name one with --engine",
      }),
    ),
  )
}

/** A new folder: the one that was asked for, which must not be there, or a temporary one. */
const workFolder = (keep: Option.Option<string>, digest: string): Effect.Effect<string, Ended> =>
  Effect.gen(function* () {
    const wanted = Option.map(keep, (folder) => resolve(folder))
    for (let i = 0; ; i++) {
      const folder = Option.getOrElse(wanted, () =>
        join(tmpdir(), `millrace-${digest.slice(0, 12)}-${process.pid}-${i}`),
      )
      yield* makeFolder(join(folder, "..")).pipe(Effect.mapError(failed))
      if (yield* claimFolder(folder).pipe(Effect.mapError(failed))) return folder
      if (Option.isSome(wanted)) {
        return yield* usage(
          new BadData({
            where: "--keep",
            expected: "a new folder",
            received: `${folder}, which is there`,
            fix: "name another",
          }),
        )
      }
    }
  })

const runAgain = (crate: OpenCrate, root: string, given: ReproduceArguments): Effect.Effect<RecordedRun, Ended> =>
  Effect.gen(function* () {
    const { graph, environment } = crate
    const inputs = Object.keys(graph.inputs)
    if (inputs.length > 0) {
      return yield* invalid(
        new BadConfig({
          where: graph.name,
          expected: "a graph that needs nothing from outside",
          received: `inputs ${inputs.join(", ")}`,
          fix: "run it from code that gives them, and compare the digests",
        }),
      )
    }
    const engine = yield* engineOf(crate, given.engine)
    const events = runEvents()
    const view = given.quiet
      ? undefined
      : showRun(events.all, {
          screen: process.stderr,
          env: process.env,
          images: { protocol: "off", folder: () => undefined },
        })
    // The root is new, so its store is empty, and it is not asked: every stage runs.
    return yield* recordRun(graph, { root, seed: seedOf(String(environment.seed)), events, cache: "off" }).pipe(
      Effect.mapError((error) => (error._tag === "BadConfig" ? invalid(error) : failed(error))),
      Effect.provide(Engines.layer(engine)),
      Effect.mapError((error) => (error instanceof Ended ? error : failed(error))),
      Effect.ensuring(Effect.sync(() => view?.unsubscribe())),
    )
  })

/** The published digests in the order in which the stages ran. */
const inOrder = ({ digests, story }: OpenCrate): OpenCrate["digests"] =>
  Object.fromEntries(
    [...story.stages.keys()].flatMap((stage) => (digests[stage] === undefined ? [] : [[stage, digests[stage]]])),
  )

interface Compared extends Reproduction {
  /** What decides nothing, and may explain a difference: versions, threads, the machine. */
  readonly environment: ReadonlyArray<Difference>
}

const compare = (crate: OpenCrate, run: RecordedRun): Effect.Effect<Compared, Ended> =>
  Effect.gen(function* () {
    const { environment, files } = yield* readRunFiles(run.folder.path).pipe(Effect.mapError(failed))
    const reproduction = compareReproduction(
      { where: whereOf(crate.environment), digests: inOrder(crate), metrics: crate.metrics },
      { where: whereOf(environment), digests: run.digests, metrics: metricsOf(run.story, run.digests, files) },
      crate.tolerance,
    )
    return { ...reproduction, environment: environmentDifferences(crate.environment, environment) }
  })

const different = (folder: string, { exact }: Reproduction): Ended =>
  mismatch(
    new BadData({
      where: "reproduce",
      expected: exact ? "the published digests" : "the published numbers, within the tolerance",
      received: "others, as the table tells",
      fix: `look at the run in ${folder}, and at what differs in its environment.json`,
    }),
  )

/** @fails Ended  2 usage, 3 the crate is wrong, 1 the run failed, 4 it is not the published one */
export const reproduceCommand = (given: ReproduceArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const crate = yield* readCrate(given.crate, given.module)
    const folder = yield* workFolder(given.keep, crate.digest)
    yield* unpackFiles(crate.files, join(folder, "crate")).pipe(
      Effect.mapError((error) => (error._tag === "DiskFailed" ? failed(error) : invalid(error))),
    )
    const run = yield* runAgain(crate, join(folder, "runs"), given)
    const reproduction = yield* compare(crate, run)
    yield* print(
      given.json
        ? jsonText({
            crate: given.crate,
            sha256: crate.digest,
            folder: run.folder.path,
            ...reproduction,
            environment: reproduction.environment.map(({ what, a, b }) => ({
              what,
              published: a ?? null,
              again: b ?? null,
            })),
          })
        : reproductionText(reproduction, reproduction.environment),
    )
    if (!reproduction.reproduced) return yield* different(run.folder.path, reproduction)
    if (Option.isNone(given.keep)) yield* removeAll(folder).pipe(Effect.mapError(failed))
  })

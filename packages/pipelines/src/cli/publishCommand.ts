/** `millrace publish`: a run as a crate. */
import { join, resolve } from "node:path"
import { BadData, filesBelow, lookAt, readFile, sha256, writeWhole } from "@millrace/core"
import {
  type CheckedLaws,
  defaultTolerance,
  makeCrate,
  type RunRecord,
  readCheckedLaws,
  readRun,
  verdictsOf,
  verdictText,
} from "@millrace/core/crate"
import { attempt, type Files, isFailure } from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { dataSetsOf } from "../crate/dataSets.js"
import { withData } from "../crate/withData.js"
import { crateLaws } from "./crateLaws.js"
import { type Ended, failed, invalid, usage } from "./exit.js"
import { findRun } from "./findRun.js"
import { jsonText } from "./jsonText.js"
import { knownTypes } from "./knownTypes.js"
import { ownData } from "./ownData.js"
import { print } from "./print.js"
import { version } from "./version.js"

export interface PublishArguments {
  readonly run: string
  /** The folder of all runs. */
  readonly out: string
  readonly to: Option.Option<string>
  readonly license: Option.Option<string>
  readonly author: Option.Option<string>
  readonly tolerance: Option.Option<number>
  readonly module: ReadonlyArray<string>
  readonly programs: boolean
  readonly withData: Option.Option<string>
  readonly laws: Option.Option<string>
  readonly noLaws: boolean
  readonly json: boolean
}

/** A name of SPDX has an address; a text and an address stay what they are. */
const licenseText = (license: string): string =>
  /^[A-Za-z0-9.+-]+$/.test(license) ? `https://spdx.org/licenses/${license}` : license

/** @fails Ended  2: no folder, or one without a file */
const readOwnData = (folder: string): Effect.Effect<Files, Ended> =>
  Effect.gen(function* () {
    const entry = yield* lookAt(folder).pipe(Effect.mapError(failed))
    const files = entry?.kind === "folder" ? yield* readData(folder) : {}
    if (Object.keys(files).length > 0) return files
    return yield* usage(
      new BadData({
        where: "--with-data",
        expected: "a folder with the files to publish",
        received: `${folder}, ${entry?.kind === "folder" ? "which has none" : "which is no folder"}`,
        fix: "check the path; without =folder the data that the run's stages read are published",
      }),
    )
  })

/** Every file of a folder of data, under `data/files`. */
const readData = (folder: string): Effect.Effect<Files, Ended> =>
  Effect.gen(function* () {
    const files: Record<string, Uint8Array> = {}
    for (const { path } of yield* filesBelow(folder)) files[`data/files/${path}`] = yield* readFile(join(folder, path))
    return files
  }).pipe(Effect.mapError(failed))

/** A broken law is published, and said. */
const warn = (laws: CheckedLaws): Effect.Effect<void> =>
  Effect.sync(
    () =>
      void process.stderr.write(
        [
          `laws     ${verdictText(laws)}`,
          ...laws.laws.flatMap(({ verdict, node, places, law }) =>
            verdict === "broken" ? [`BROKEN   ${places[0]} (${node}): ${law}`] : [],
          ),
          "The crate says so: in README.md, laws.json and its report.",
          "",
        ].join("\n"),
      ),
  )

/** Those of a longer check, or a few examples of each now. */
const lawsOf = (file: Option.Option<string>, record: RunRecord): Effect.Effect<CheckedLaws, Ended> =>
  Option.isNone(file)
    ? crateLaws(record.graph, String(record.environment.seed))
    : readFile(file.value).pipe(
        Effect.flatMap((bytes) => readCheckedLaws(new TextDecoder().decode(bytes), file.value, record.hash)),
        Effect.mapError(usage),
      )

/** @fails Ended  2 usage, 3 a run that cannot be published, 1 the disk */
export const publishCommand = (given: PublishArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const folder = yield* findRun(given.run, given.out)
    const registry = yield* knownTypes(given.module)
    const id = folder.split(/[/\\]/).at(-1) ?? given.run
    const record = yield* readRun(id, folder, registry).pipe(
      Effect.mapError((error) => (error._tag === "DiskFailed" ? failed(error) : invalid(error))),
    )
    const described = dataSetsOf(record)
    const own = Option.contains(given.withData, ownData)
    const dataSets = own ? yield* withData(record, described).pipe(Effect.mapError(usage)) : described
    const data = Option.isSome(given.withData) && !own ? yield* readOwnData(given.withData.value) : {}
    const laws = given.noLaws ? undefined : yield* lawsOf(given.laws, record)
    const relative = Option.getOrElse(given.tolerance, () => defaultTolerance.relative)
    const bytes = yield* attempt(BadData, () =>
      makeCrate(record, {
        dataSets,
        version: version(),
        tolerance: { ...defaultTolerance, relative },
        programs: given.programs,
        more: data,
        ...(laws !== undefined && { laws }),
        ...(Option.isSome(given.license) && { license: licenseText(given.license.value) }),
        ...(Option.isSome(given.author) && { author: given.author.value }),
      }),
    ).pipe(Effect.mapError((error) => (isFailure(error) ? invalid(error) : failed(error))))
    const out = Option.getOrElse(given.to, () => `${record.graph.name}-${id}.crate.zip`)
    yield* writeWhole(resolve(out), bytes).pipe(Effect.mapError(failed))
    const digest = sha256(bytes)
    yield* print(
      given.json
        ? jsonText({
            crate: out,
            bytes: bytes.length,
            sha256: digest,
            laws: laws === undefined ? null : verdictsOf(laws),
          })
        : `${out}\n${(bytes.length / 2 ** 20).toFixed(1)} MiB, SHA-256 ${digest}`,
    )
    if (laws !== undefined && verdictsOf(laws).broken > 0) yield* warn(laws)
  })

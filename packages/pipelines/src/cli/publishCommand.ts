/** `millrace publish`: a run as a crate. */
import { join, resolve } from "node:path"
import { BadData, listFolder, lookAt, readFile, sha256, writeWhole } from "@millrace/core"
import { defaultTolerance, makeCrate, readRun } from "@millrace/core/crate"
import { attempt, type Files, isFailure } from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { dataSetsOf } from "../crate/dataSets.js"
import { type Ended, failed, invalid, usage } from "./exit.js"
import { findRun } from "./findRun.js"
import { jsonText } from "./jsonText.js"
import { knownTypes } from "./knownTypes.js"
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
  readonly json: boolean
}

/** A name of SPDX has an address; a text and an address stay what they are. */
const licenseText = (license: string): string =>
  /^[A-Za-z0-9.+-]+$/.test(license) ? `https://spdx.org/licenses/${license}` : license

/** Every file of a folder of data, under `data/files`. */
const readData = (folder: string, path = "data/files"): Effect.Effect<Files, Ended> =>
  Effect.gen(function* () {
    const files: Record<string, Uint8Array> = {}
    for (const name of yield* listFolder(folder).pipe(Effect.mapError(failed))) {
      const entry = yield* lookAt(join(folder, name)).pipe(Effect.mapError(failed))
      if (entry?.kind === "folder") Object.assign(files, yield* readData(join(folder, name), `${path}/${name}`))
      if (entry?.kind === "file")
        files[`${path}/${name}`] = yield* readFile(join(folder, name)).pipe(Effect.mapError(failed))
    }
    return files
  })

/** @fails Ended  2 usage, 3 a run that cannot be published, 1 the disk */
export const publishCommand = (given: PublishArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const folder = yield* findRun(given.run, given.out)
    const registry = yield* knownTypes(given.module)
    const id = folder.split(/[/\\]/).at(-1) ?? given.run
    const record = yield* readRun(id, folder, registry).pipe(
      Effect.mapError((error) => (error._tag === "DiskFailed" ? failed(error) : invalid(error))),
    )
    const data = Option.isSome(given.withData) ? yield* readData(given.withData.value) : {}
    const laws = Option.isSome(given.laws)
      ? { "laws.json": yield* readFile(given.laws.value).pipe(Effect.mapError(usage)) }
      : {}
    const relative = Option.getOrElse(given.tolerance, () => defaultTolerance.relative)
    const bytes = yield* attempt(BadData, () =>
      makeCrate(record, {
        dataSets: dataSetsOf(record),
        version: version(),
        tolerance: { ...defaultTolerance, relative },
        programs: given.programs,
        more: { ...data, ...laws },
        ...(Option.isSome(given.license) && { license: licenseText(given.license.value) }),
        ...(Option.isSome(given.author) && { author: given.author.value }),
      }),
    ).pipe(Effect.mapError((error) => (isFailure(error) ? invalid(error) : failed(error))))
    const out = Option.getOrElse(given.to, () => `${record.graph.name}-${id}.crate.zip`)
    yield* writeWhole(resolve(out), bytes).pipe(Effect.mapError(failed))
    const digest = sha256(bytes)
    yield* print(
      given.json
        ? jsonText({ crate: out, bytes: bytes.length, sha256: digest })
        : `${out}\n${(bytes.length / 2 ** 20).toFixed(1)} MiB, SHA-256 ${digest}`,
    )
  })

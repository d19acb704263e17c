/**
 * The store: what stages made, by content, so that what has been made is not made again.
 *
 *   .runs/.store/
 *     objects/3f/9c2a…        a file, named by its SHA-256
 *     made/3f/9c2a….json      what a stage made, under the stage's key
 *     last/<graph>/<stage>.json   the parts of the newest key of a stage, to explain a miss
 *
 * Several processes may use one store: every file is written whole under its final content, and what is there is never
 * changed. Every read checks the hash; what is damaged is put aside under `damaged/`, and then it is not there.
 */
import { basename, join } from "node:path"
import { Effect, Schema } from "effect"
import { digestNames, type FileNames, type Files, sha256 } from "../artifact.js"
import { lookAt, makeFolder, readFile, renameTo, touch, writeWhole } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { canonicalJson, parseJson } from "../json.js"
import { pathSegment } from "../run/keptPath.js"
import { decodeMade, encodeMade, KeyPartsJson, type Made } from "./made.js"
import { type KeyParts, stageKey } from "./stageKey.js"

export interface Store {
  readonly path: string
  /** Puts files in; those that are there already are told to be in use. */
  readonly put: (files: Files) => Effect.Effect<FileNames, DiskFailed>
  /** The files of these names. @fails BadData one is missing or damaged; it is put aside */
  readonly take: (names: FileNames) => Effect.Effect<Files, BadData | DiskFailed>
  /** Records what a stage made, once its files are in. */
  readonly record: (made: Made) => Effect.Effect<void, DiskFailed>
  /** What was made under a key; nothing where there is no record, or one that is damaged. */
  readonly find: (key: string) => Effect.Effect<Made | undefined, DiskFailed>
  /** The parts of the newest key under which a stage of a graph was looked for. */
  readonly last: (graph: string, stage: string) => Effect.Effect<KeyParts | undefined, DiskFailed>
  readonly setLast: (graph: string, stage: string, parts: KeyParts) => Effect.Effect<void, DiskFailed>
}

const text = new TextDecoder()

/** Where the store of a folder of runs is. */
export const storeIn = (root: string): string => join(root, ".store")

/** The store in a folder, which need not be there yet. */
export const storeAt = (path: string): Store => {
  const shelf = (name: string, hash: string, ending = "") =>
    join(path, name, hash.slice(0, 2), `${hash.slice(2)}${ending}`)
  const lastPath = (graph: string, stage: string) =>
    join(path, "last", pathSegment(graph), `${pathSegment(stage)}.json`)

  /** Kept to be looked at, and out of the way: the next who puts the same content in does so anew. */
  const putAside = (file: string): Effect.Effect<void, DiskFailed> =>
    Effect.andThen(makeFolder(join(path, "damaged")), renameTo(file, join(path, "damaged", basename(file)))).pipe(
      // Another process may have done it first.
      Effect.catchIf(
        ({ cause }) => cause instanceof Error && "code" in cause && cause.code === "ENOENT",
        () => Effect.void,
      ),
    )

  const takeOne = (name: string, hash: string): Effect.Effect<Uint8Array, BadData | DiskFailed> =>
    Effect.gen(function* () {
      const file = shelf("objects", hash)
      const refuse = (received: string) =>
        new BadData({
          where: file,
          expected: `${name}, with SHA-256 ${hash}`,
          received,
          fix: "nothing: the stage that made it runs again",
        })
      if ((yield* lookAt(file)) === undefined) return yield* refuse("no such file")
      const bytes = yield* readFile(file)
      const found = sha256(bytes)
      if (found === hash) return bytes
      yield* putAside(file)
      return yield* refuse(`SHA-256 ${found}`)
    })

  return {
    path,
    put: (files) =>
      Effect.gen(function* () {
        const names: Record<string, string> = {}
        for (const [name, bytes] of Object.entries(files)) {
          const hash = sha256(bytes)
          const file = shelf("objects", hash)
          const there = yield* lookAt(file)
          // A file of another length is damaged: what is whole takes its place.
          if (there?.bytes === bytes.length) yield* touch(file)
          else yield* writeWhole(file, bytes)
          names[name] = hash
        }
        return names
      }),
    take: (names) =>
      Effect.gen(function* () {
        const files: Record<string, Uint8Array> = {}
        for (const [name, hash] of Object.entries(names)) files[name] = yield* takeOne(name, hash)
        return files
      }),
    record: (made) => writeWhole(shelf("made", made.key, ".json"), encodeMade(made)),
    find: (key) =>
      Effect.gen(function* () {
        const file = shelf("made", key, ".json")
        if ((yield* lookAt(file)) === undefined) return undefined
        return yield* decodeMade(yield* readFile(file), key, file).pipe(
          Effect.tap(() => touch(file)),
          Effect.catchTag("BadData", () => Effect.as(putAside(file), undefined)),
        )
      }),
    last: (graph, stage) =>
      Effect.gen(function* () {
        const file = lastPath(graph, stage)
        if ((yield* lookAt(file)) === undefined) return undefined
        // It only serves to explain: what cannot be read explains nothing.
        return yield* parseJson(text.decode(yield* readFile(file)), file).pipe(
          Effect.flatMap(Schema.decodeUnknownEffect(KeyPartsJson)),
          Effect.catchTags({ BadData: () => Effect.succeed(undefined), SchemaError: () => Effect.succeed(undefined) }),
        )
      }),
    setLast: (graph, stage, parts) =>
      Effect.gen(function* () {
        const file = lastPath(graph, stage)
        const content = `${canonicalJson(parts)}\n`
        const is = (yield* lookAt(file)) === undefined ? undefined : text.decode(yield* readFile(file))
        if (is !== content) yield* writeWhole(file, content)
      }),
  }
}

/** Whether a record is one of its key, and its digests those of the files that it names. */
export const isSound = ({ key, parts, outputs }: Made): boolean =>
  stageKey(parts) === key && outputs.every(({ digest, files }) => digestNames(files) === digest)

/** Reads the folder of a run into the record that a crate is made of, and checks that it is whole. */
import { join } from "node:path"
import { Effect } from "effect"
import { digestFiles, type Files } from "../artifact.js"
import { listFolder, lookAt, readFile, temporaryMark } from "../disk/files.js"
import { BadData, type DiskFailed } from "../errors.js"
import { decodeGraph, type GraphError } from "../graph/decode.js"
import { graphHash } from "../graph/encode.js"
import { parseJson } from "../json.js"
import type { Registry } from "../registry.js"
import { storyOfFile } from "../report/storyOfFile.js"
import { artifactFiles } from "./artifactFiles.js"
import type { JsonValue } from "./entity.js"
import type { RunRecord } from "./record.js"

const required = ["graph.json", "environment.json", "events.jsonl", "digests.json", "SUMMARY.txt", "report.html"]
const folders = ["artifacts", "images"]

const unfinished = (path: string, received: string): BadData =>
  new BadData({
    where: path,
    expected: "the folder of a run that has ended, as `millrace run` leaves it",
    received,
    fix: "let the run end (`millrace resume`), or name another folder",
  })

/** Every file under a folder by its path; what is no file or folder is refused. */
const readAll = (root: string, path: string): Effect.Effect<Files, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const files: Record<string, Uint8Array> = {}
    for (const name of yield* listFolder(join(root, path))) {
      if (name.includes(temporaryMark)) continue
      const inner = `${path}/${name}`
      const entry = yield* lookAt(join(root, inner))
      if (entry?.kind === "folder") Object.assign(files, yield* readAll(root, inner))
      else if (entry?.kind === "file") files[inner] = yield* readFile(join(root, inner))
      else return yield* unfinished(join(root, inner), "neither a file nor a folder")
    }
    return files
  })

const isRecord = (value: unknown): value is Readonly<Record<string, JsonValue>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const json = (files: Files, path: string): Effect.Effect<Readonly<Record<string, JsonValue>>, BadData> =>
  parseJson(new TextDecoder().decode(files[path]), path).pipe(
    Effect.flatMap((value) => (isRecord(value) ? Effect.succeed(value) : Effect.fail(unfinished(path, "no record")))),
  )

/** Stage -> port -> digest, as text. */
export const digestsIn = (value: Readonly<Record<string, JsonValue>>): RunRecord["digests"] =>
  Object.fromEntries(
    Object.entries(value).map(([stage, ports]) => [
      stage,
      Object.fromEntries(
        Object.entries(isRecord(ports) ? ports : {}).flatMap(([port, digest]) =>
          typeof digest === "string" ? [[port, digest] as const] : [],
        ),
      ),
    ]),
  )

/** Every artifact whose files do not give the digest that is told of it. */
export const wrongArtifacts = (digests: RunRecord["digests"], files: Files): ReadonlyArray<string> =>
  Object.entries(digests).flatMap(([stage, ports]) =>
    Object.entries(ports).flatMap(([port, digest]) => {
      const made = digestFiles(artifactFiles(files, stage, port))
      return made === digest ? [] : [`${stage} > ${port}: ${made.slice(0, 12)}…, told was ${digest.slice(0, 12)}…`]
    }),
  )

/** The files of a run's folder that are published, and its environment. */
export const readRunFiles = (
  folder: string,
): Effect.Effect<{ readonly files: Files; readonly environment: RunRecord["environment"] }, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const files: Record<string, Uint8Array> = {}
    for (const path of required) {
      if ((yield* lookAt(join(folder, path)))?.kind !== "file") return yield* unfinished(folder, `no ${path}`)
      files[path] = yield* readFile(join(folder, path))
    }
    for (const path of folders) Object.assign(files, yield* readAll(folder, path))
    return { files, environment: yield* json(files, "environment.json") }
  })

/**
 * The record of a run that has ended, well or not.
 * @param registry  the node types of its graph
 * @fails BadData     the folder is none of a run that has ended, or its artifacts are not those that the run made
 * @fails DiskFailed  it cannot be read
 * @fails GraphError  the graph is none of the registry
 */
export const readRun = (
  id: string,
  folder: string,
  registry: Registry,
): Effect.Effect<RunRecord, BadData | DiskFailed | GraphError> =>
  Effect.gen(function* () {
    const { files, environment } = yield* readRunFiles(folder)
    const graph = yield* decodeGraph(yield* json(files, "graph.json"), registry)
    const digests = digestsIn(yield* json(files, "digests.json"))
    const { story, damage } = storyOfFile(files["events.jsonl"]!)
    if (damage !== undefined) return yield* unfinished(join(folder, "events.jsonl"), damage)
    if (story.status === "running") return yield* unfinished(folder, "a run that has not ended")
    const hash = graphHash(graph)
    if (environment.graph !== hash) return yield* unfinished(folder, "an environment of another graph")
    const wrong = wrongArtifacts(digests, files)
    if (wrong.length > 0) {
      return yield* new BadData({
        where: folder,
        expected: "the artifacts that the run made",
        received: wrong.join("\n"),
        fix: "they were changed or removed since: run the graph again",
      })
    }
    return { id, graph, hash, environment, story, digests, files }
  })

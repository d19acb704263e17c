/** Reads and checks a crate that is not trusted. Nothing of it is run, and nothing is written. */
import { Effect } from "effect"
import { digestFiles, type Files, sha256 } from "../artifact.js"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { decodeGraph, type GraphError } from "../graph/decode.js"
import { graphHash } from "../graph/encode.js"
import type { Graph } from "../graph/parts.js"
import { parseJson } from "../json.js"
import type { Registry } from "../registry.js"
import type { RunStory } from "../report/story.js"
import { storyOfFile } from "../report/storyOfFile.js"
import type { RunMetric } from "../runs/runMetrics.js"
import { headerLength, readHeader } from "../safetensors/header.js"
import { artifactFiles } from "./artifactFiles.js"
import { type CheckedLaws, readCheckedLaws } from "./checkedLaws.js"
import { checkFiles } from "./checkFiles.js"
import { type Entities, entitiesOf } from "./entities.js"
import { fileId, type JsonValue, localId } from "./entity.js"
import { readMetrics, type Tolerance } from "./metrics.js"
import { artifactPath, graphPath, lawsPath, metadataPath, metricsPath } from "./parts.js"
import { profileProblems, requirements } from "./profile.js"
import { digestsIn } from "./readRun.js"
import type { RunRecord } from "./record.js"
import { decodeZip } from "./zip/decode.js"
import { type ZipLimits, zipLimits } from "./zip/limits.js"

export interface OpenCrate {
  /** SHA-256 of the archive: what tells that it is the published one. */
  readonly digest: string
  readonly files: Files
  readonly graph: Graph
  readonly hash: string
  readonly environment: Readonly<Record<string, JsonValue>>
  readonly digests: RunRecord["digests"]
  readonly story: RunStory
  readonly metrics: ReadonlyArray<RunMetric>
  readonly tolerance: Tolerance
  /** Laws that were checked; null where none are told. */
  readonly laws: CheckedLaws | null
  /** How many rules of the profile hold. */
  readonly rules: number
}

/** Longer JSON is refused before it is read. */
const mostJson = 2 ** 26

const bad = (where: string, expected: string, received: string): BadData =>
  new BadData({ where, expected, received, fix: "get the crate again as it was published, or publish the run again" })

const isRecord = (value: unknown): value is Readonly<Record<string, JsonValue>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const utf8 = new TextDecoder("utf-8", { fatal: true })

const textOf = (files: Files, path: string): Effect.Effect<string, BadData> =>
  Effect.suspend(() => {
    const bytes = files[path]
    if (bytes === undefined) return Effect.fail(bad(path, "a file of the crate", "none"))
    if (bytes.length > mostJson) return Effect.fail(bad(path, `at most ${mostJson} bytes`, `${bytes.length}`))
    try {
      return Effect.succeed(utf8.decode(bytes))
    } catch {
      return Effect.fail(bad(path, "UTF-8", "other bytes"))
    }
  })

const jsonOf = (files: Files, path: string): Effect.Effect<Readonly<Record<string, JsonValue>>, BadData> =>
  Effect.gen(function* () {
    const value = yield* parseJson(yield* textOf(files, path), path)
    return isRecord(value) ? value : yield* bad(path, "a record", "another value")
  })

/** Headers of weights: names, shapes and places, each tensor's bytes where they say. */
const checkWeights = (files: Files): void => {
  for (const [path, bytes] of Object.entries(files)) {
    if (!path.endsWith(".safetensors")) continue
    const start = 8 + headerLength(bytes, bytes.length, path)
    readHeader(bytes.subarray(8, start), bytes.length - start, path)
  }
}

/** Artifacts whose files do not give the digest that is told of them, in the record or in the metadata. */
const wrongArtifacts = (digests: RunRecord["digests"], files: Files, entities: Entities): ReadonlyArray<string> =>
  Object.entries(digests).flatMap(([stage, ports]) =>
    Object.entries(ports).flatMap(([port, digest]) => {
      const folder = entities.find(fileId(artifactPath(stage, port)))
      const own = new Set(folder === undefined ? [] : entities.named(folder, "hasPart"))
      const made = digestFiles(artifactFiles(files, stage, port, (path) => own.has(fileId(path))))
      const told = entities.find(localId("digest", stage, port))?.value
      return made === digest && told === digest
        ? []
        : [`${stage} > ${port}: ${made}, told were ${digest} and ${String(told)}`]
    }),
  )

/** Stages of which the events and the record do not tell the same digests. */
const wrongEvents = (digests: RunRecord["digests"], story: RunStory): ReadonlyArray<string> =>
  [...new Set([...Object.keys(digests), ...story.stages.keys()])].filter((stage) => {
    const told = story.stages.get(stage)?.digests ?? {}
    const record = digests[stage] ?? {}
    return [...Object.keys(told), ...Object.keys(record)].some((port) => told[port] !== record[port])
  })

/** What the events tell, every line of which is one. */
const storyIn = (files: Files, digests: RunRecord["digests"]): Effect.Effect<RunStory, BadData> =>
  Effect.gen(function* () {
    const path = "events.jsonl"
    yield* textOf(files, path)
    const { story, damage } = storyOfFile(files[path]!)
    if (damage !== undefined) return yield* bad(path, "whole events", damage)
    if (story.status === "running") return yield* bad(path, "a run that has ended", "one that has not")
    const strange = wrongEvents(digests, story)
    if (strange.length === 0) return story
    return yield* bad(path, "the digests of digests.json", `others of ${strange.join(", ")}`)
  })

/**
 * A crate, checked: the archive byte by byte, the digest of every file, the profile's requirements, the graph by the registry,
 * the artifacts' digests, and the headers of weights.
 * @param registry  the node types that its graph may name; a crate brings none
 * @fails BadData     what is wrong, and in which file
 * @fails GraphError  the graph is none of the registry: an unknown node type, a bad config, wires that do not fit
 */
export const openCrate = (
  bytes: Uint8Array,
  registry: Registry,
  limits: ZipLimits = zipLimits,
): Effect.Effect<OpenCrate, BadData | GraphError> =>
  Effect.gen(function* () {
    const files = yield* attempt(BadData, () => decodeZip(bytes, limits))
    const metadata = yield* parseJson(yield* textOf(files, metadataPath), metadataPath)
    const problems = profileProblems(metadata)
    const entities = entitiesOf(metadata)
    if (problems.length > 0 || typeof entities === "string") {
      const shown = problems.length > 8 ? [...problems.slice(0, 8), `and ${problems.length - 8} more`] : problems
      return yield* bad(metadataPath, "a Provenance Run Crate 0.5", shown.join("\n"))
    }
    yield* attempt(BadData, () => checkFiles(files, entities))
    yield* attempt(BadData, () => checkWeights(files))
    const graph = yield* decodeGraph(yield* jsonOf(files, graphPath), registry)
    const hash = graphHash(graph)
    const environment = yield* jsonOf(files, "environment.json")
    if (environment.graph !== hash || entities.find("#graph-digest")?.value !== hash) {
      return yield* bad(graphPath, `the graph that was run, ${String(environment.graph)}`, hash)
    }
    const digests = digestsIn(yield* jsonOf(files, "digests.json"))
    const wrong = wrongArtifacts(digests, files, entities)
    if (wrong.length > 0) return yield* bad("digests.json", "the digests of the artifacts", wrong.join("\n"))
    const story = yield* storyIn(files, digests)
    const told = yield* jsonOf(files, metricsPath)
    const { metrics, tolerance } = yield* attempt(BadData, () => readMetrics(told))
    const laws = Object.hasOwn(files, lawsPath)
      ? yield* readCheckedLaws(yield* textOf(files, lawsPath), lawsPath, hash)
      : null
    return {
      digest: sha256(bytes),
      files,
      graph,
      hash,
      environment,
      digests,
      story,
      metrics,
      tolerance,
      laws,
      rules: Object.keys(requirements).length,
    }
  })

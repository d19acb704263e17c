/** The folder that a run is recorded in: a new one, or that of a run that goes on. */
import { Effect, type Scope } from "effect"
import type { Engine } from "../engine.js"
import { BadConfig, type BadData, type DiskFailed } from "../errors.js"
import { encodeGraph, graphHash } from "../graph/encode.js"
import type { Graph } from "../graph.js"
import { jsonHash, parseJson } from "../json.js"
import { keyFromSeed } from "../random/key.js"
import { claimRun } from "./claimRun.js"
import { earlierEvents } from "./earlierEvents.js"
import { type Environment, environmentOf } from "./environment.js"
import type { StampedEvent } from "./event.js"
import { makeRunFolder, type RunFolder } from "./folder.js"
import type { RecordOptions } from "./recordRun.js"
import { readRunJson } from "./runJson.js"

export interface Begun {
  readonly folder: RunFolder
  readonly environment: Environment & { readonly backend: string; readonly seed: string; readonly graph: string }
  /** What was told before; undefined for a new run. */
  readonly earlier: ReadonlyArray<StampedEvent> | undefined
}

/** @fails BadConfig  the folder is of another graph or seed */
const requireSame = (folder: RunFolder, hash: string, seed: string) =>
  Effect.gen(function* () {
    const found = yield* readRunJson(folder)
    if (found.graph === hash && found.seed === seed) return
    const [expected, received] = found.graph === hash ? [found.seed, seed] : [found.graph, hash]
    return yield* new BadConfig({
      where: folder.path,
      expected: `the run's own ${found.graph === hash ? "seed" : "graph"}, ${expected}`,
      received,
      fix: "a graph that was changed since makes another run: use millrace run, which takes what it can from the store",
    })
  })

/** When the run began: what the file of its first process says. */
const startedAt = ({ path, read }: RunFolder): Effect.Effect<{ readonly startedAt?: string }> =>
  Effect.gen(function* () {
    const json = yield* parseJson(new TextDecoder().decode(yield* read("environment.json")), path)
    const label = typeof json === "object" && json !== null && "startedAt" in json ? json.startedAt : undefined
    return typeof label === "string" ? { startedAt: label } : {}
  }).pipe(Effect.catch(() => Effect.succeed({})))

/**
 * Opens the folder and claims it as long as the scope is open. `graph.json` is written last: with it the run can be gone on with.
 * @fails BadConfig   the folder to go on in is of another graph or seed
 * @fails BadData     another process is at work in it, or it is damaged
 * @fails DiskFailed  it cannot be written
 */
export const beginRun = (
  graph: Graph,
  { root = ".runs", seed: given, origin, resume }: RecordOptions,
  engine: Engine["Service"],
): Effect.Effect<Begun, BadConfig | BadData | DiskFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const hash = graphHash(graph)
    const seed = String(given)
    const { hi, lo } = keyFromSeed(given)
    const folder = resume ?? (yield* makeRunFolder(root, jsonHash([hash, hi, lo]).slice(0, 8)))
    yield* claimRun(folder.path)
    if (resume !== undefined) yield* requireSame(resume, hash, seed)
    const environment = {
      ...(yield* environmentOf(engine)),
      ...(resume === undefined ? {} : yield* startedAt(resume)),
      backend: engine.name,
      seed,
      graph: hash,
    }
    yield* folder.writeJson("environment.json", environment)
    if (resume !== undefined) return { folder, environment, earlier: yield* earlierEvents(folder.path) }
    yield* folder.writeJson("run.json", {
      name: graph.name,
      graph: hash,
      seed,
      engine: engine.name,
      origin: origin ?? null,
    })
    yield* folder.writeJson("graph.json", encodeGraph(graph))
    return { folder, environment, earlier: undefined }
  })

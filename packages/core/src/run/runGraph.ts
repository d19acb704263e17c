/**
 * Runs a graph of stages: one stage after the other, in an order that respects the wires, each in its own scope.
 * What a stage made is kept the moment the stage ends, so a later failure loses nothing.
 */
import { Cause, Effect, Exit } from "effect"
import { digestFiles, type Files } from "../artifact.js"
import type { CheckpointFolder } from "../checkpoint/checkpointFolder.js"
import type { Patience } from "../checkpoint/longStage.js"
import type { Engine } from "../engine.js"
import type { BadConfig, DiskFailed } from "../errors.js"
import type { Graph, StageGraph } from "../graph.js"
import type { StageNode } from "../node.js"
import type { Port, Ports } from "../port.js"
import type { Key } from "../random/key.js"
import { Stopping } from "../stopRequest.js"
import type { StampedEvent } from "./event.js"
import type { RunEvents } from "./events.js"
import type { Shelf } from "./keptPath.js"
import type { Carried, Outcome, StageError } from "./placed.js"
import { runStage } from "./runStage.js"
import type { StageCache } from "./stageCache.js"
import { stageNames } from "./stageNames.js"
import { type AtStage, keyOfStage, requireStages, walkStages } from "./walkStages.js"

/** Files that a stage made. */
export interface Kept {
  readonly stage: string
  /** The output's port (`out` if it has no name), or the name that the stage gave to what it keeps on the way. */
  readonly name: string
  /** The kind of the artifact; none for what is kept on the way. */
  readonly kind?: string
  /** Where it is put: with the artifacts if nothing is said. */
  readonly folder?: Shelf
  readonly files: Files
  readonly digest: string
}

/** A stage with all that decides what it makes, beside the machine. */
export interface Identity {
  readonly node: StageNode
  readonly stage: string
  readonly key: Key
  /** Digests of the inputs, by port. */
  readonly inputs: Readonly<Record<string, string>>
}

/** What a run that goes on knows of its earlier processes. */
export interface Earlier {
  /** Seconds that they took. */
  readonly seconds: number
  /** What they told of a stage that ended, and with it its files, is there already. By stage and port. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly events: ReadonlyArray<StampedEvent>
  /** An image that one of these events names. */
  readonly image: (file: string) => Effect.Effect<Uint8Array, DiskFailed>
}

export interface RunOptions<E = never, R = never> extends Patience {
  readonly run: string
  /** The graph's hash, for the first event. */
  readonly graphHash: string
  /** Made from the run's seed; each stage gets its own, split by its name. */
  readonly key: Key
  readonly events: RunEvents
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Called with what a stage keeps on the way, and with every output before its stage is reported as ended. */
  readonly keep?: (kept: Kept) => Effect.Effect<void, E, R>
  /** Called with the digests of all stages so far when one has ended. */
  readonly ended?: (digests: RunResult["digests"]) => Effect.Effect<void, E, R>
  /** Where what was made before is looked for, and what is made is kept. */
  readonly cache?: StageCache
  /** Where the checkpoints of a stage are; none are kept without. @param tell is given a sentence where one is damaged */
  readonly checkpoints?: (of: Identity, tell: (text: string) => Effect.Effect<void>) => CheckpointFolder
  /** Given where a run that was begun before goes on. */
  readonly earlier?: Earlier
  /** Seconds of a monotonic clock. */
  readonly now?: () => number
}

export interface RunResult {
  /** The graph's outputs, by name. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** SHA-256 of every artifact: stage -> port -> digest. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A value that was given to the run. */
const given = (value: unknown, port: Port | undefined): Carried => ({
  digest: port?.kind === undefined ? undefined : digestFiles(port.kind.files(value)),
  value: Effect.succeed(value),
})

/**
 * Runs every stage of a graph.
 * @fails  NodeFailed   a stage failed; `where` is `graph > stage`, `cause` its own error
 * @fails  BadData      a stage returned less than its ports promise, or made something else than it did before
 * @fails  BadConfig    the graph is one of tensor nodes
 * @fails  DiskFailed   the store cannot be read or written
 * Interruption stops the stage that runs, closes its scope and reports the run as stopped. A request to stop (`Stopping`) does so
 * between two steps of a stage that has steps, after a checkpoint.
 */
export const runGraph = <E = never, R = never>(
  graph: Graph,
  options: RunOptions<E, R>,
): Effect.Effect<RunResult, StageError<E> | BadConfig, Engine | R> => {
  const { events, run } = options
  const now = options.now ?? (() => performance.now() / 1000)
  const digests: Record<string, Readonly<Record<string, string>>> = {}

  const visit = (at: AtStage<Outcome<E, R>[string]>) =>
    Effect.gen(function* () {
      const { asked } = yield* Stopping
      if (asked()) return yield* Effect.interrupt
      const made = yield* runStage({ ...at, key: keyOfStage(options.key, at.stage) }, options)
      digests[at.stage] = made.digests
      if (options.ended !== undefined) yield* options.ended(digests)
      return made.outputs
    })

  const runAll = (of: StageGraph): Effect.Effect<RunResult, StageError<E>, Engine | R> =>
    Effect.gen(function* () {
      const ports: Ports = of.in
      const values = Object.entries(options.inputs ?? {})
      const inputs: Outcome<E, R> = Object.fromEntries(values.map(([name, value]) => [name, given(value, ports[name])]))
      const made = yield* walkStages(of, inputs, visit)
      const outputs: Record<string, unknown> = {}
      for (const [name, { value }] of Object.entries(made)) outputs[name] = yield* value
      return { outputs, digests }
    })

  return Effect.flatMap(requireStages(graph), (of) => {
    const start = now() - (options.earlier?.seconds ?? 0)
    const type = options.earlier === undefined ? "run.started" : "run.resumed"
    events.emit({ type, run, graph: options.graphHash, stages: stageNames(of) })
    return Effect.andThen(
      Effect.flatMap(Stopping, ({ listen }) => listen),
      runAll(of),
    ).pipe(
      Effect.scoped,
      Effect.onExit((exit) =>
        Effect.sync(() => {
          const status = Exit.isSuccess(exit) ? "done" : Cause.hasInterruptsOnly(exit.cause) ? "stopped" : "failed"
          events.emit({ type: "run.ended", run, seconds: now() - start, status })
        }),
      ),
    )
  })
}

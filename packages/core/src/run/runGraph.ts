/**
 * Runs a graph of stages: one stage after the other, in an order that respects the wires, each in its own scope.
 * What a stage made is kept the moment the stage ends, so a later failure loses nothing.
 */
import { Cause, Effect, Exit } from "effect"
import { digestFiles, type Files } from "../artifact.js"
import type { CheckpointFolder } from "../checkpoint/checkpointFolder.js"
import { longStage, type Patience } from "../checkpoint/longStage.js"
import { Engine } from "../engine.js"
import { BadConfig, BadData, type DiskFailed, isFailure, messageOf, NodeFailed } from "../errors.js"
import type { Graph, StageGraph } from "../graph.js"
import { jsonHash } from "../json.js"
import { isPort, type Node, type StageNode } from "../node.js"
import { type Key, split } from "../random/key.js"
import { Stage, type StageEvent } from "./context.js"
import type { RunEvents } from "./events.js"
import type { Shelf } from "./keptPath.js"
import { Stopping } from "./stopRequest.js"

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
  /** A run that was begun before goes on. */
  readonly resumed?: boolean
  /** Where the checkpoints of a stage are; none are kept without. @param key  of all that decides what the stage makes */
  readonly checkpoints?: (stage: string, key: string, tell: (text: string) => Effect.Effect<void>) => CheckpointFolder
  /** A stage whose outputs were kept before: it does not run. */
  readonly finished?: (stage: string, node: StageNode, key: string) => Effect.Effect<Finished | undefined, E, R>
  /** Called when all outputs of a stage are kept, before it is reported as ended. */
  readonly done?: (stage: string, key: string, digests: Readonly<Record<string, string>>) => Effect.Effect<void, E, R>
  /** Seconds of a monotonic clock. */
  readonly now?: () => number
}

/** What a stage made in an earlier process of the run. */
export interface Finished {
  /** What it returned. */
  readonly result: unknown
  /** By port, `out` if it has no name. */
  readonly digests: Readonly<Record<string, string>>
}

export interface RunResult {
  /** The graph's outputs, by name. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** SHA-256 of every artifact: stage -> port -> digest. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What is on a wire, with its digest. */
interface Value {
  readonly value: unknown
  readonly digest: string
}
type Values = Readonly<Record<string, Value>>

/** Puts a node's results on its wires: a single port under the node's name, several under `name.port`. */
const spread = (name: string, out: StageNode["out"], made: Values): ReadonlyArray<readonly [string, Value]> =>
  isPort(out)
    ? Object.values(made)
        .slice(0, 1)
        .map((value) => [name, value] as const)
    : Object.entries(made).map(([port, value]) => [`${name}.${port}`, value] as const)

/** A stage's result by port, `out` if it has no name. */
const byPort = (out: StageNode["out"], result: unknown, digests: Readonly<Record<string, string>>): Values =>
  Object.fromEntries(
    Object.entries(digests).map(([port, digest]) => [
      port,
      { value: isPort(out) ? result : (result as Readonly<Record<string, unknown>>)[port], digest },
    ]),
  )

/** Of all that decides what a stage makes. */
const keyOf = (node: StageNode, key: Key, inputs: Values, engine: string): string =>
  jsonHash({
    node: `${node.type}@${node.version}`,
    config: node.config,
    inputs: Object.fromEntries(Object.entries(inputs).map(([port, { digest }]) => [port, digest])),
    random: [key.hi, key.lo],
    engine,
  })

const isStageGraph = (node: Node): node is StageGraph => node.level === "stage" && "nodes" in node

/** Names of every stage, nested ones as `outer.inner`, in the order of the definition. */
export const stageNames = (graph: Graph, prefix = ""): ReadonlyArray<string> =>
  graph.nodes.flatMap(({ name, node }) =>
    isStageGraph(node) ? stageNames(node, `${prefix}${name}.`) : [prefix + name],
  )

/** How a stage's failure leaves the run: with the graph path, and the original error as its cause. */
const nodeFailed = (where: string, cause: Cause.Cause<unknown>): NodeFailed => {
  const error = Cause.squash(cause)
  const thrown = Cause.hasDies(cause) && !Cause.hasFails(cause)
  return new NodeFailed({
    where,
    expected: isFailure(error) ? error.expected : "the stage to end with its outputs",
    received: isFailure(error) ? `${error.received}\n(${error._tag} in ${error.where})` : messageOf(error),
    fix: isFailure(error)
      ? error.fix
      : thrown
        ? "the stage threw instead of failing: run again with --debug for the stack trace"
        : "mend what the message names; what the stages before it made is kept",
    ...(isFailure(error) && error.replay !== undefined && { replay: error.replay }),
    cause: error,
  })
}

const notStages = (graph: Graph): BadConfig =>
  new BadConfig({
    where: graph.name,
    expected: "a graph of stages",
    received: `a graph of ${graph.level} nodes`,
    fix: "a tensor graph is trained or evaluated by a stage: put it into one",
  })

/**
 * Runs every stage of a graph.
 * @fails  NodeFailed   a stage failed; `where` is `graph > stage`, `cause` its own error
 * @fails  BadData      a stage returned less than its ports promise
 * @fails  BadConfig    the graph is one of tensor nodes
 * Interruption stops the stage that runs, closes its scope and reports the run as stopped.
 */
export const runGraph = <E = never, R = never>(
  graph: Graph,
  options: RunOptions<E, R>,
): Effect.Effect<RunResult, NodeFailed | BadData | BadConfig | DiskFailed | E, Engine | R> => {
  const { events, run } = options
  const now = options.now ?? (() => performance.now() / 1000)
  const digests: Record<string, Record<string, string>> = {}

  const keepOutputs = (stage: string, where: string, out: StageNode["out"], result: unknown) =>
    Effect.gen(function* () {
      const made: Record<string, string> = {}
      for (const [port, spec] of isPort(out) ? [["out", out] as const] : Object.entries(out)) {
        const value = isPort(out) ? result : (result as Readonly<Record<string, unknown>>)[port]
        if (value === undefined || spec.kind === undefined) {
          return yield* new BadData({
            where: `${where} > ${port}`,
            expected: `${spec.unit === "" ? "a value" : `an artifact of kind ${spec.unit}`} for every output of the stage`,
            received: value === undefined ? "nothing" : "a port that carries no artifact",
            fix: "return every port that the node's `out` names, each made with artifact(kind)",
          })
        }
        const { kind } = spec
        const files = yield* Effect.try({
          try: () => kind.files(value),
          catch: (error) => nodeFailed(where, Cause.fail(error)),
        })
        made[port] = digestFiles(files)
        if (options.keep) yield* options.keep({ stage, name: port, kind: kind.name, files, digest: made[port] })
      }
      return made
    })

  /** What was made before, if it was: the stage is not run. */
  const again = (node: StageNode, stage: string, key: string) =>
    Effect.gen(function* () {
      const known = yield* options.finished?.(stage, node, key) ?? Effect.succeed(undefined)
      if (known === undefined) return undefined
      // Its last process may have been killed before it had removed them.
      yield* options.checkpoints?.(stage, key, () => Effect.void).clear ?? Effect.void
      digests[stage] = { ...known.digests }
      return byPort(node.out, known.result, known.digests)
    })

  const runStage = (node: StageNode, stage: string, where: string, key: Key, inputs: Values, own: string) =>
    Effect.gen(function* () {
      const start = now()
      const context = yield* Effect.context<R>()
      events.emit({ type: "stage.started", stage, node: `${node.type}@${node.version}` })
      const emit = (event: StageEvent) => Effect.sync(() => events.emit({ ...event, stage }))
      const tell = (text: string) => emit({ type: "stage.note", text })
      const long = yield* longStage(options.checkpoints?.(stage, own, tell), now, options)
      const service = Stage.of({
        name: stage,
        key,
        emit,
        keep: (name, files, folder = "artifacts") =>
          options.keep === undefined
            ? Effect.void
            : options
                .keep({ stage, name, folder, files, digest: digestFiles(files) })
                .pipe(Effect.uninterruptible, Effect.orDie, Effect.provideContext(context)),
        checkpoints: long.checkpoints,
        stopping: long.stopping,
      })
      const given = Object.fromEntries(Object.entries(inputs).map(([port, { value }]) => [port, value]))
      const result = yield* Effect.suspend(() => node.run(given as never)).pipe(
        Effect.provideService(Stage, service),
        Effect.scoped,
        long.within,
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.failCause(cause as Cause.Cause<never>)
            : Effect.fail(nodeFailed(where, cause)),
        ),
      )
      const made = yield* Effect.uninterruptible(
        Effect.gen(function* () {
          const made = yield* keepOutputs(stage, where, node.out, result)
          yield* options.done?.(stage, own, made) ?? Effect.void
          yield* long.clear
          return made
        }),
      )
      digests[stage] = made
      events.emit({ type: "stage.ended", stage, seconds: now() - start, digests: made })
      return byPort(node.out, result, made)
    }).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) return
          const stopped = Cause.hasInterruptsOnly(exit.cause)
          const error = Cause.squash(exit.cause)
          const text = stopped ? "stopped" : messageOf(error instanceof NodeFailed ? error.cause : error)
          events.emit({ type: "stage.failed", stage, error: text })
        }),
      ),
    )

  const runNodes = (
    level: StageGraph,
    path: string,
    where: string,
    key: Key,
    inputs: Values,
  ): Effect.Effect<Values, NodeFailed | BadData | DiskFailed | E, Engine | R> =>
    Effect.gen(function* () {
      const { asked } = yield* Stopping
      const { version } = yield* Engine
      const values = new Map(Object.entries(inputs))
      const wanted = Object.entries(level.outputs)
      for (const [i, { name, node, wires }] of level.nodes.entries()) {
        const given = Object.fromEntries(Object.entries(wires).map(([port, wire]) => [port, values.get(wire)!]))
        const stage = path + name
        const at = `${where} > ${name}`
        const own = split(key, name)
        if (node.level !== "stage") return yield* Effect.die(new Error(`internal: ${at} is not a stage`))
        if (asked()) return yield* Effect.interrupt
        const stageKey = isStageGraph(node) ? "" : keyOf(node, own, given, version)
        const made = isStageGraph(node)
          ? yield* runNodes(node, `${stage}.`, at, own, given)
          : ((yield* again(node, stage, stageKey)) ?? (yield* runStage(node, stage, at, own, given, stageKey)))
        for (const [wire, value] of spread(name, node.out, made)) values.set(wire, value)
        // Weights are large: a value that no later stage reads is let go.
        const needed = new Set([
          ...wanted.map(([, wire]) => wire),
          ...level.nodes.slice(i + 1).flatMap((later) => Object.values(later.wires)),
        ])
        for (const wire of values.keys()) if (!needed.has(wire)) values.delete(wire)
      }
      return Object.fromEntries(wanted.map(([name, wire]) => [name, values.get(wire)!]))
    })

  const given = (level: StageGraph): Values =>
    Object.fromEntries(
      Object.entries(options.inputs ?? {}).map(([port, value]) => {
        const { kind } = level.in[port] ?? {}
        return [port, { value, digest: kind === undefined ? "" : digestFiles(kind.files(value)) }]
      }),
    )

  return Effect.gen(function* () {
    if (!isStageGraph(graph)) return yield* notStages(graph)
    const start = now()
    yield* (yield* Stopping).listen
    const about = { run, graph: options.graphHash, stages: stageNames(graph) }
    events.emit({ type: options.resumed === true ? "run.resumed" : "run.started", ...about })
    return yield* runNodes(graph, "", graph.name, options.key, given(graph)).pipe(
      Effect.map((outputs) => ({
        outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
        digests,
      })),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          const status = Exit.isSuccess(exit) ? "done" : Cause.hasInterruptsOnly(exit.cause) ? "stopped" : "failed"
          events.emit({ type: "run.ended", run, seconds: now() - start, status })
        }),
      ),
    )
  }).pipe(Effect.scoped)
}

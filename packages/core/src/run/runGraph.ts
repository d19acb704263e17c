/**
 * Runs a graph of stages: one stage after the other, in an order that respects the wires, each in its own scope.
 * What a stage made is kept the moment the stage ends, so a later failure loses nothing.
 */
import { Cause, Effect, Exit } from "effect"
import { digestFiles, type Files } from "../artifact.js"
import type { Engine } from "../engine.js"
import { BadConfig, BadData, isFailure, messageOf, NodeFailed } from "../errors.js"
import type { Graph, StageGraph } from "../graph.js"
import { isPort, type Node, type StageNode } from "../node.js"
import { type Key, split } from "../random/key.js"
import { Stage } from "./context.js"
import type { RunEvents } from "./events.js"
import type { Shelf } from "./keptPath.js"

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

export interface RunOptions<E = never, R = never> {
  readonly run: string
  /** The graph's hash, for the first event. */
  readonly graphHash: string
  /** Made from the run's seed; each stage gets its own, split by its name. */
  readonly key: Key
  readonly events: RunEvents
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Called with what a stage keeps on the way, and with every output before its stage is reported as ended. */
  readonly keep?: (kept: Kept) => Effect.Effect<void, E, R>
  /** Seconds of a monotonic clock. */
  readonly now?: () => number
}

export interface RunResult {
  /** The graph's outputs, by name. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** SHA-256 of every artifact: stage -> port -> digest. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>>
}

type Values = Map<string, unknown>

/** Puts a node's result on its wires: a single port under the node's name, several under `name.port`. */
const spread = (name: string, out: StageNode["out"], result: unknown): ReadonlyArray<readonly [string, unknown]> =>
  isPort(out)
    ? [[name, result]]
    : Object.keys(out).map((port) => [`${name}.${port}`, (result as Readonly<Record<string, unknown>>)[port]] as const)

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
): Effect.Effect<RunResult, NodeFailed | BadData | BadConfig | E, Engine | R> => {
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

  const runStage = (
    node: StageNode,
    stage: string,
    where: string,
    key: Key,
    inputs: Readonly<Record<string, unknown>>,
  ) =>
    Effect.gen(function* () {
      const start = now()
      const context = yield* Effect.context<R>()
      events.emit({ type: "stage.started", stage, node: `${node.type}@${node.version}` })
      const service = Stage.of({
        name: stage,
        key,
        emit: (event) => Effect.sync(() => events.emit({ ...event, stage })),
        keep: (name, files, folder = "artifacts") =>
          options.keep === undefined
            ? Effect.void
            : options
                .keep({ stage, name, folder, files, digest: digestFiles(files) })
                .pipe(Effect.uninterruptible, Effect.orDie, Effect.provideContext(context)),
      })
      const result = yield* Effect.suspend(() => node.run(inputs as never)).pipe(
        Effect.provideService(Stage, service),
        Effect.scoped,
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.failCause(cause as Cause.Cause<never>)
            : Effect.fail(nodeFailed(where, cause)),
        ),
      )
      const made = yield* Effect.uninterruptible(keepOutputs(stage, where, node.out, result))
      digests[stage] = made
      events.emit({ type: "stage.ended", stage, seconds: now() - start, digests: made })
      return result
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
    inputs: Readonly<Record<string, unknown>>,
  ): Effect.Effect<Readonly<Record<string, unknown>>, NodeFailed | BadData | E, Engine | R> =>
    Effect.gen(function* () {
      const values: Values = new Map(Object.entries(inputs))
      const wanted = Object.entries(level.outputs)
      for (const [i, { name, node, wires }] of level.nodes.entries()) {
        const given = Object.fromEntries(Object.entries(wires).map(([port, wire]) => [port, values.get(wire)]))
        const stage = path + name
        const at = `${where} > ${name}`
        const own = split(key, name)
        if (node.level !== "stage") return yield* Effect.die(new Error(`internal: ${at} is not a stage`))
        const result = isStageGraph(node)
          ? yield* Effect.map(runNodes(node, `${stage}.`, at, own, given), (made) =>
              isPort(node.out) ? Object.values(made)[0] : made,
            )
          : yield* runStage(node, stage, at, own, given)
        for (const [wire, value] of spread(name, node.out, result)) values.set(wire, value)
        // Weights are large: a value that no later stage reads is let go.
        const needed = new Set([
          ...wanted.map(([, wire]) => wire),
          ...level.nodes.slice(i + 1).flatMap((later) => Object.values(later.wires)),
        ])
        for (const wire of values.keys()) if (!needed.has(wire)) values.delete(wire)
      }
      return Object.fromEntries(wanted.map(([name, wire]) => [name, values.get(wire)]))
    })

  return Effect.suspend((): Effect.Effect<RunResult, NodeFailed | BadData | BadConfig | E, Engine | R> => {
    if (!isStageGraph(graph)) return Effect.fail(notStages(graph))
    const start = now()
    events.emit({ type: "run.started", run, graph: options.graphHash, stages: stageNames(graph) })
    return runNodes(graph, "", graph.name, options.key, options.inputs ?? {}).pipe(
      Effect.map((outputs) => ({ outputs, digests })),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          const status = Exit.isSuccess(exit) ? "done" : Cause.hasInterruptsOnly(exit.cause) ? "stopped" : "failed"
          events.emit({ type: "run.ended", run, seconds: now() - start, status })
        }),
      ),
    )
  })
}

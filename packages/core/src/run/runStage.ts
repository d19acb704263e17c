/** One stage of a run: found in the store, or run in a scope of its own. What it made is kept the moment it ends. */
import { Cause, Effect, Exit } from "effect"
import { digestFiles } from "../artifact.js"
import type { Engine } from "../engine.js"
import { BadData, type DiskFailed, messageOf, NodeFailed } from "../errors.js"
import type { StageNode } from "../node.js"
import type { Key } from "../random/key.js"
import type { KeyParts } from "../store/stageKey.js"
import { Stage } from "./context.js"
import { nodeFailed } from "./nodeFailed.js"
import { peakMemory } from "./peakMemory.js"
import type { RunOptions } from "./runGraph.js"
import type { Hit, StageCache, ToldEvent } from "./stageCache.js"
import { outputPorts, stageOutputs } from "./stageOutputs.js"

/** What travels on a wire. The value is there when it is asked for. */
export interface Carried<E = never, R = never> {
  /** Undefined where it cannot be told: what depends on it is not looked for in the store. */
  readonly digest: string | undefined
  readonly value: Effect.Effect<unknown, E, R>
}

export type StageError<E> = NodeFailed | BadData | DiskFailed | E

/** A stage at its place in a run. */
export interface Placed<E, R> {
  readonly node: StageNode
  /** Its path in the graph, with dots. */
  readonly stage: string
  /** The same for errors: `graph > stage`. */
  readonly where: string
  readonly key: Key
  readonly inputs: Readonly<Record<string, Carried<StageError<E>, Engine | R>>>
}

/** The outputs by port, `out` where there is one alone. */
export type Outcome<E, R> = Readonly<Record<string, Carried<StageError<E>, Engine | R>>>

const valuesOf = <E, R>(inputs: Placed<E, R>["inputs"]) =>
  Effect.map(
    Effect.forEach(Object.entries(inputs), ([port, { value }]) => Effect.map(value, (is) => [port, is] as const)),
    (entries): Readonly<Record<string, unknown>> => Object.fromEntries(entries),
  )

/** The parts of the stage's key; none where there is no store, or the stage is not to be looked for in it. */
const partsOf = <E, R>({ node, key, inputs }: Placed<E, R>, cache: StageCache | undefined): KeyParts | undefined => {
  const digests = Object.entries(inputs).map(([port, { digest }]) => [port, digest] as const)
  if (cache === undefined || node.volatile || digests.some(([, digest]) => digest === undefined)) return undefined
  return cache.partsOf(node, key, Object.fromEntries(digests) as Readonly<Record<string, string>>)
}

/** Runs a stage now, whatever the store has. */
const execute = <E, R>(
  placed: Placed<E, R>,
  { events, keep, cache, now = () => performance.now() / 1000 }: RunOptions<E, R>,
) => {
  const { node, stage, where, key } = placed
  return Effect.gen(function* () {
    const values = yield* valuesOf(placed.inputs)
    const parts = partsOf(placed, cache)
    const start = now()
    const memory = yield* peakMemory
    const context = yield* Effect.context<R>()
    const told: Array<ToldEvent> = []
    const images: Array<{ readonly name: string; readonly files: Readonly<Record<string, string>> }> = []
    events.emit({ type: "stage.started", stage, node: `${node.type}@${node.version}` })
    const service = Stage.of({
      name: stage,
      key,
      emit: (event) =>
        Effect.sync(() => {
          if (cache !== undefined) told.push({ ...event, stage })
          events.emit({ ...event, stage })
        }),
      keep: (name, files, folder = "artifacts") =>
        Effect.gen(function* () {
          if (keep !== undefined) yield* keep({ stage, name, folder, files, digest: digestFiles(files) })
          if (cache !== undefined && folder === "images") {
            images.push({ name, files: yield* cache.putImages(files) })
          }
        }).pipe(Effect.uninterruptible, Effect.orDie, Effect.provideContext(context)),
    })
    const result = yield* Effect.suspend(() => node.run(values as never)).pipe(
      Effect.provideService(Stage, service),
      Effect.scoped,
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause as Cause.Cause<never>)
          : Effect.fail(nodeFailed(where, cause)),
      ),
    )
    return yield* Effect.gen(function* () {
      const outputs = yield* stageOutputs(node, where, result)
      for (const { port, kind, files, digest } of outputs) {
        if (keep !== undefined) yield* keep({ stage, name: port, kind, files, digest })
      }
      const seconds = now() - start
      if (cache !== undefined && parts !== undefined) {
        yield* cache.save({ stage, parts, seconds, outputs, images, told })
      }
      const digests = Object.fromEntries(outputs.map(({ port, digest }) => [port, digest]))
      const most = memory()
      events.emit({ type: "stage.ended", stage, seconds, digests, ...(most !== undefined && { memory: most }) })
      return { digests, values: Object.fromEntries(outputs.map(({ port, value }) => [port, value])) }
    }).pipe(Effect.uninterruptible)
  }).pipe(
    Effect.scoped,
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isSuccess(exit)) return
        const error = Cause.squash(exit.cause)
        const text = Cause.hasInterruptsOnly(exit.cause)
          ? "stopped"
          : messageOf(error instanceof NodeFailed ? error.cause : error)
        events.emit({ type: "stage.failed", stage, error: text })
      }),
    ),
  )
}

/** Tells of a stage that was found, and puts its files into the run folder. */
const replay = <E, R>({ stage, node }: Placed<E, R>, { made, outputs, images, told }: Hit, options: RunOptions<E, R>) =>
  Effect.gen(function* () {
    const { events, keep } = options
    if (keep !== undefined) {
      for (const [i, { port, kind, digest }] of made.outputs.entries()) {
        yield* keep({ stage, name: port, kind, files: outputs[i]!, digest })
      }
      for (const { name, files } of images) {
        yield* keep({ stage, name, folder: "images", files, digest: digestFiles(files) })
      }
    }
    const digests = Object.fromEntries(made.outputs.map(({ port, digest }) => [port, digest]))
    const { run: from, seconds } = made
    events.emit({ type: "stage.cached", stage, node: `${node.type}@${node.version}`, digests, from, seconds })
    for (const event of told) events.emit({ ...event, stage })
    return digests
  })

/**
 * The outputs of a stage that was found. A value is read from its files when a later stage asks for it; where they are a
 * manifest alone, or gone by then, the stage runs after all, and must make the same again.
 */
const found = <E, R>(placed: Placed<E, R>, { made }: Hit, options: RunOptions<E, R>): Outcome<E, R> => {
  const { node, where } = placed
  let again:
    | { readonly digests: Readonly<Record<string, string>>; readonly values: Readonly<Record<string, unknown>> }
    | undefined
  const makeAgain = (port: string, digest: string): Effect.Effect<unknown, StageError<E>, Engine | R> =>
    Effect.gen(function* () {
      again ??= yield* execute(placed, options)
      if (again.digests[port] === digest) return again.values[port]
      return yield* new BadData({
        where: `${where} > ${port}`,
        expected: `what it made before, with digest ${digest}`,
        received: `digest ${again.digests[port]}`,
        fix: "a stage that reads what may change is defined with `volatile: true`; with --no-cache every stage runs",
      })
    })
  return Object.fromEntries(
    outputPorts(node).map(([port, { kind }]) => {
      const digest = made.outputs.find((output) => output.port === port)?.digest ?? ""
      const read = kind?.read
      let value: { readonly is: unknown } | undefined
      const load = Effect.gen(function* () {
        if (value !== undefined) return value.is
        const files = read === undefined ? undefined : yield* options.cache!.files(made, port)
        const is = files === undefined ? yield* makeAgain(port, digest) : yield* read!(files)
        value = { is }
        return is
      })
      return [port, { digest, value: load }]
    }),
  )
}

/** Runs a stage, unless the store has what it makes. */
export const runStage = <E, R>(
  placed: Placed<E, R>,
  options: RunOptions<E, R>,
): Effect.Effect<
  { readonly digests: Readonly<Record<string, string>>; readonly outputs: Outcome<E, R> },
  StageError<E>,
  Engine | R
> =>
  Effect.gen(function* () {
    const { cache } = options
    const parts = partsOf(placed, cache)
    if (cache !== undefined && parts !== undefined) {
      const hit = yield* cache.find(placed.stage, parts)
      if (hit !== undefined) {
        const digests = yield* Effect.uninterruptible(replay(placed, hit, options))
        return { digests, outputs: found(placed, hit, options) }
      }
    }
    const { digests, values } = yield* execute(placed, options)
    const outputs = Object.fromEntries(
      Object.entries(values).map(([port, value]) => [port, { digest: digests[port], value: Effect.succeed(value) }]),
    )
    return { digests, outputs }
  })

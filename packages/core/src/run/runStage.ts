/** One stage of a run: found in the store, or run in a scope of its own. What it made is kept the moment it ends. */
import { Cause, Effect, Exit } from "effect"
import { digestFiles } from "../artifact.js"
import { longStage } from "../checkpoint/longStage.js"
import type { Engine } from "../engine.js"
import { BadData, messageOf, NodeFailed } from "../errors.js"
import type { KeyParts } from "../store/stageKey.js"
import { Stage, type StageEvent } from "./context.js"
import { earlierPart } from "./earlierPart.js"
import { nodeFailed } from "./nodeFailed.js"
import { peakMemory } from "./peakMemory.js"
import { inputDigests, type Outcome, type Placed, type StageError, valuesOf } from "./placed.js"
import type { RunOptions } from "./runGraph.js"
import type { Hit, StageCache, ToldEvent } from "./stageCache.js"
import { outputPorts, stageOutputs } from "./stageOutputs.js"

/** The parts of the stage's key; none where there is no store, or the stage is not to be looked for in it. */
const partsOf = <E, R>(placed: Placed<E, R>, cache: StageCache | undefined): KeyParts | undefined => {
  const inputs = inputDigests(placed)
  return inputs === undefined ? undefined : cache?.partsOf(placed.node, placed.key, inputs)
}

/** Runs a stage now, whatever the store has. */
const execute = <E, R>(placed: Placed<E, R>, options: RunOptions<E, R>) => {
  const { events, keep, cache, now = () => performance.now() / 1000 } = options
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
    const emit = (event: StageEvent): Effect.Effect<void> =>
      Effect.sync(() => {
        if (cache !== undefined) told.push({ ...event, stage })
        events.emit({ ...event, stage })
      })
    const inputs = inputDigests(placed)
    const folder =
      inputs === undefined
        ? undefined
        : options.checkpoints?.({ node, stage, key, inputs }, (text) =>
            // Of this run alone: no part of what the store has of the stage.
            Effect.sync(() => events.emit({ type: "stage.note", stage, text })),
          )
    const long = yield* longStage(folder, now, options)
    const service = Stage.of({
      name: stage,
      key,
      emit,
      checkpoints: long.checkpoints,
      stopping: long.stopping,
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
      long.within,
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
      const took = { seconds: now() - start, ...memory() }
      if (cache !== undefined && parts !== undefined) {
        const before = yield* earlierPart(stage, long.from(), options)
        yield* cache.save({
          stage,
          parts,
          ...took,
          outputs,
          images: [...before.images, ...images],
          told: [...before.told, ...told],
        })
      }
      yield* Effect.ignore(long.clear)
      const digests = Object.fromEntries(outputs.map(({ port, digest }) => [port, digest]))
      events.emit({ type: "stage.ended", stage, digests, ...took })
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
const replay = <E, R>(placed: Placed<E, R>, { made, outputs, images, told }: Hit, options: RunOptions<E, R>) =>
  Effect.gen(function* () {
    const { events, keep, earlier } = options
    const { node, stage, key } = placed
    const inputs = inputDigests(placed)
    const digests = Object.fromEntries(made.outputs.map(({ port, digest }) => [port, digest]))
    // Its process may have been killed before it had removed them.
    if (earlier !== undefined && inputs !== undefined) {
      yield* Effect.ignore(options.checkpoints?.({ node, stage, key, inputs }, () => Effect.void).clear ?? Effect.void)
    }
    const known = earlier?.digests[stage] ?? {}
    if (made.outputs.every(({ port, digest }) => known[port] === digest)) return digests
    if (keep !== undefined) {
      for (const [i, { port, kind, digest }] of made.outputs.entries()) {
        yield* keep({ stage, name: port, kind, files: outputs[i]!, digest })
      }
      for (const { name, files } of images) {
        yield* keep({ stage, name, folder: "images", files, digest: digestFiles(files) })
      }
    }
    const { run: from, seconds } = made
    events.emit({ type: "stage.cached", stage, node: `${node.type}@${node.version}`, digests, from, seconds })
    for (const event of told) events.emit({ ...event, stage })
    return digests
  })

/**
 * The outputs of a stage that was found. A value is read from its files when a later stage asks for it; where they are a
 * manifest alone, hold no value that can be read, or are gone by then, the stage runs after all, and must make the same again.
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
        const again = makeAgain(port, digest)
        const is =
          files === undefined || read === undefined
            ? yield* again
            : // The bytes are those that were written: where they cannot be read, the value was more than its files.
              yield* Effect.catchTag(read(files), "BadData", () => again)
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
        yield* Effect.annotateCurrentSpan("millrace.cached", true)
        const digests = yield* Effect.uninterruptible(replay(placed, hit, options))
        return { digests, outputs: found(placed, hit, options) }
      }
    }
    const { digests, values } = yield* execute(placed, options)
    const outputs = Object.fromEntries(
      Object.entries(values).map(([port, value]) => [port, { digest: digests[port], value: Effect.succeed(value) }]),
    )
    return { digests, outputs }
  }).pipe(
    Effect.withSpan(placed.stage, { attributes: { "millrace.node": `${placed.node.type}@${placed.node.version}` } }),
  )

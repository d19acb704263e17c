/** Runs a stage, in a scope of its own. What it made is kept the moment it ends. */
import { Cause, Effect, Exit } from "effect"
import { digestFiles } from "../artifact.js"
import { longStage } from "../checkpoint/longStage.js"
import type { Engine } from "../engine.js"
import { messageOf, NodeFailed } from "../errors.js"
import { Stage, type StageEvent } from "./context.js"
import { earlierPart } from "./earlierPart.js"
import { nodeFailed } from "./nodeFailed.js"
import { peakMemory } from "./peakMemory.js"
import { inputDigests, type Placed, partsOf, type StageError, valuesOf } from "./placed.js"
import type { RunOptions } from "./runGraph.js"
import type { ToldEvent } from "./stageCache.js"
import { stageOutputs } from "./stageOutputs.js"

export interface Executed {
  readonly digests: Readonly<Record<string, string>>
  readonly values: Readonly<Record<string, unknown>>
}

/** Runs a stage now, whatever the store has. */
export const executeStage = <E, R>(
  placed: Placed<E, R>,
  options: RunOptions<E, R>,
): Effect.Effect<Executed, StageError<E>, Engine | R> => {
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

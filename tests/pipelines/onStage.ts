/** Runs what a stage runs, without a graph: on onnxruntime, with a key, and with what it tells and keeps in hand. */
import {
  type Checkpoints,
  type Engine,
  type EngineName,
  Engines,
  type Files,
  keyFromSeed,
  noCheckpoints,
  Stage,
  type StageEvent,
} from "@millrace/core"
import { Effect, ManagedRuntime, type Scope } from "effect"
import { afterAll } from "vitest"

export interface Staged<A> {
  readonly result: A
  readonly events: ReadonlyArray<StageEvent>
  readonly kept: Readonly<Record<string, Files>>
}

/** What the stage goes on from, and whether it is to stop. */
export interface Interruptions {
  readonly checkpoints?: Checkpoints
  readonly stopping?: () => boolean
}

export const stageRunner = (engine: EngineName = "onnx") => {
  const runtime = ManagedRuntime.make(Engines.layer(engine, { threads: 1 }))
  afterAll(() => runtime.dispose())
  return async <A>(
    work: Effect.Effect<A, unknown, Engine | Stage | Scope.Scope>,
    seed = 1,
    { checkpoints = noCheckpoints, stopping = () => false }: Interruptions = {},
  ): Promise<Staged<A>> => {
    const events: Array<StageEvent> = []
    const kept: Record<string, Files> = {}
    const stage = Stage.of({
      name: "stage",
      key: keyFromSeed(seed),
      emit: (event) =>
        Effect.sync(() => {
          events.push(event)
        }),
      keep: (name, files) =>
        Effect.sync(() => {
          kept[name] = { ...kept[name], ...files }
        }),
      checkpoints,
      stopping: Effect.sync(stopping),
    })
    const result = await runtime.runPromise(
      Effect.scoped(Effect.provideService(work, Stage, stage)) as Effect.Effect<A, unknown, Engine>,
    )
    return { result, events, kept }
  }
}

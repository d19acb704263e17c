/** What this machine can run: every engine is really started, not looked up. */
import { Effect, Layer } from "effect"
import { Engine, type EngineName, engineNames } from "../engine.js"
import { Engines } from "./engines.js"

/** One engine as the doctor found it. */
export type Diagnosis =
  | { readonly engine: EngineName; readonly state: "ready"; readonly detail: string }
  | { readonly engine: EngineName; readonly state: "missing"; readonly reason: string; readonly remedy: string }

const detailOf = (name: EngineName, { version, threads }: Engine["Service"]): string =>
  name.startsWith("onnx") ? `${version}, ${threads} threads, in a process of its own` : version

/** Starts each engine in turn and stops it again. */
export const doctor = (): Effect.Effect<ReadonlyArray<Diagnosis>> =>
  Effect.forEach(engineNames, (engine) =>
    Effect.scoped(
      Layer.build(Engines.layer(engine)).pipe(
        Effect.flatMap((context) => Effect.provide(Engine, context)),
        Effect.map((found): Diagnosis => ({ engine, state: "ready", detail: detailOf(engine, found) })),
        Effect.catch((error) =>
          Effect.succeed<Diagnosis>({ engine, state: "missing", reason: error.received, remedy: error.fix }),
        ),
      ),
    ),
  )

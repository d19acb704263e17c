/** What this machine can run: every engine is really started, not looked up. */
import { Effect, Layer } from "effect"
import { Engine, type EngineLayerError, type EngineName, engineNames, nativeEngineNames } from "../engine.js"
import { Engines } from "./engines.js"
import { examineNative } from "./native/examineNative.js"
import { engineOfPackage } from "./native/nativeEngine.js"

/** One engine as the doctor found it. */
export type Diagnosis =
  | { readonly engine: EngineName; readonly state: "ready"; readonly detail: string }
  | { readonly engine: EngineName; readonly state: "missing"; readonly reason: string; readonly remedy: string }

const detailOf = (name: EngineName, { version, threads }: Engine["Service"]): string =>
  name.startsWith("onnx") ? `${version}, ${threads} threads, in a process of its own` : version

/** Starts an engine and stops it again. @returns its version, and how it runs */
const examine = (engine: EngineName): Effect.Effect<string, EngineLayerError> => {
  const native = nativeEngineNames.find((name) => engineOfPackage[name] === engine)
  if (native !== undefined) return examineNative(native)
  return Effect.scoped(
    Layer.build(Engines.layer(engine)).pipe(
      Effect.flatMap((context) => Effect.provide(Engine, context)),
      Effect.map((found) => detailOf(engine, found)),
    ),
  )
}

/** Starts each engine in turn and stops it again. */
export const doctor = (): Effect.Effect<ReadonlyArray<Diagnosis>> =>
  Effect.forEach(engineNames, (engine) =>
    examine(engine).pipe(
      Effect.map((detail): Diagnosis => ({ engine, state: "ready", detail })),
      Effect.catch((error) =>
        Effect.succeed<Diagnosis>({ engine, state: "missing", reason: error.received, remedy: error.fix }),
      ),
    ),
  )

/** The engines by name, as layers. */
import { availableParallelism } from "node:os"
import { Effect, Layer } from "effect"
import { Engine, type EngineLayerError, type EngineName, engineNames } from "../engine.js"
import { EngineMissing } from "../errors.js"
import { nearest } from "../suggest.js"
import { type EagerBackend, eagerLayer } from "./eager.js"
import { onnxLayer } from "./onnx.js"
import { cpuBackend, nodeBackend, wasmBackend } from "./tfjsBackends.js"

export interface EngineOptions {
  /** Threads of one kernel, for the engines that have a choice; without it as many as the machine has cores. */
  readonly threads?: number
}

const eager = (backend: Effect.Effect<EagerBackend, EngineMissing>): Layer.Layer<Engine, EngineMissing> =>
  Layer.unwrap(Effect.map(backend, eagerLayer))

const unknown = (name: string): EngineMissing => {
  const near = nearest(name, engineNames)
  const guess = near === null ? "" : `did you mean ${near}? `
  return new EngineMissing({
    where: "Engines.layer",
    expected: `one of ${engineNames.join(", ")}`,
    received: name,
    fix: `${guess}run \`millrace engines\` to see what this machine has`,
  })
}

const layers: Readonly<Record<EngineName, (options: EngineOptions) => Layer.Layer<Engine, EngineLayerError>>> = {
  onnx: ({ threads }) => onnxLayer({ threads: threads ?? availableParallelism(), provider: "cpu" }),
  "onnx:webgpu": ({ threads }) => onnxLayer({ threads: threads ?? availableParallelism(), provider: "webgpu" }),
  "tfjs:cpu": () => eager(cpuBackend),
  "tfjs:wasm": () => eager(wasmBackend),
  "tfjs:node": () => eager(nodeBackend("tfjs-node")),
  "tfjs:node-gpu": () => eager(nodeBackend("tfjs-node-gpu")),
}

export const Engines = {
  /**
   * The engine of that name. Its processes, sessions and state end with the layer's scope.
   * @fails EngineMissing  no engine of that name, or not installed here
   * @fails EngineFailed   it does not start
   */
  layer: (name: string, options: EngineOptions = {}): Layer.Layer<Engine, EngineLayerError> =>
    Object.hasOwn(layers, name)
      ? layers[name as EngineName](options)
      : Layer.effect(Engine, Effect.fail(unknown(name))),
} as const

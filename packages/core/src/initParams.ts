/** Parameters before the first step. */
import type { ParamSpec } from "./node.js"
import { type Key, split } from "./random/key.js"
import { normal } from "./random/normal.js"
import { uniform } from "./random/uniform.js"
import { float32, type HostTensor, type HostTensors, sizeOf } from "./tensor.js"

/**
 * Float32 parameters drawn from their specs. Each draws from `split(key, name)`, so that adding, removing or renaming
 * one never changes how another starts.
 */
export const initParams = (specs: Readonly<Record<string, ParamSpec>>, key: Key): HostTensors =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, start(spec, split(key, name))]))

const start = ({ shape, init }: ParamSpec, key: Key): HostTensor => {
  switch (init.kind) {
    case "zeros":
      return float32(shape, new Float32Array(sizeOf(shape)))
    case "ones":
      return float32(shape, new Float32Array(sizeOf(shape)).fill(1))
    case "normal":
      return float32(
        shape,
        normal(key, shape).data.map((z) => z * init.std),
      )
    case "uniform":
      return float32(
        shape,
        uniform(key, shape).data.map((u) => init.low + u * (init.high - init.low)),
      )
  }
}

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
    case "normal": {
      const { data } = normal(key, shape)
      const { std } = init
      for (let i = 0; i < data.length; i++) data[i]! *= std
      return float32(shape, data)
    }
    case "uniform": {
      const { data } = uniform(key, shape)
      const { low, high } = init
      for (let i = 0; i < data.length; i++) data[i] = low + data[i]! * (high - low)
      return float32(shape, data)
    }
  }
}

/** Tensor functions of tests: inputs by name, deterministic values for them, and the eager result to compare with. */
import { type HostTensor, type HostTensors, type Specs, sizeOf, type TensorFunction, withBackend } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

export type Named = Readonly<Record<string, tf.Tensor>>

/** A function of inputs alone. */
export const pure = (inputs: Specs, body: (inputs: Named) => Named, name = "f"): TensorFunction => ({
  name,
  state: {},
  inputs,
  body: (_, given) => ({ outputs: body(given) }),
})

/** Numbers in −2 … 2, different for each seed, far from ties. Integers are 0, 1 or 2; bools alternate irregularly. */
export const hostOf = (inputs: Specs, seed: number): HostTensors =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }], k) => {
      const values = Array.from({ length: sizeOf(shape) }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 7.31 * k + seed))
      const data =
        dtype === "float32"
          ? Float32Array.from(values)
          : dtype === "int32"
            ? Int32Array.from(values, (v) => Math.abs(Math.round(v)))
            : Uint8Array.from(values, (v) => (v > 0 ? 1 : 0))
      return [name, { dtype, shape, data }]
    }),
  )

export const toHost = (tensor: tf.Tensor): HostTensor => ({
  dtype: tensor.dtype as HostTensor["dtype"],
  shape: tensor.shape,
  data: tensor.dataSync<"float32">().slice(),
})

/** What tfjs computes, op by op on cpu. */
export const eager = (fn: TensorFunction, inputs: HostTensors): HostTensors =>
  withBackend("cpu", () => {
    tf.engine().startScope("eager")
    try {
      const given = Object.fromEntries(
        Object.entries(inputs).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)]),
      )
      const { outputs } = fn.body({}, given)
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, toHost(tensor)]))
    } finally {
      tf.engine().endScope()
    }
  })

import type * as tf from "@tensorflow/tfjs-core"

/** A tensor's values on another backend. TensorFlow wants 0 and 1 for a bool, where tfjs adds bools up. */
export const copiedTo = (
  to: tf.KernelBackend,
  from: tf.KernelBackend,
  { dataId, shape, dtype }: tf.TensorInfo,
): tf.TensorInfo => {
  const held = from.readSync(dataId) as ArrayLike<number>
  const values =
    dtype === "bool"
      ? Uint8Array.from(held, (value) => (value === 0 ? 0 : 1))
      : dtype === "int32"
        ? Int32Array.from(held)
        : Float32Array.from(held)
  return { dataId: to.write(values, shape, dtype), shape: [...shape], dtype }
}

/** Models as sessions are made of them. Runs in the engine's child. */
import { type ExternalTensorProto, type TensorProto, tensorProto, withInitializers } from "../onnx/proto.js"
import type { HostTensor } from "../tensor.js"

export interface Model {
  /** Of the `.onnx` file. */
  readonly bytes: Uint8Array
  /** What the file names and does not hold. It is read while a session is made, and not kept. */
  readonly weights: ReadonlyArray<{ readonly path: string; readonly data: Uint8Array }>
}

/** A model that holds all that it is. */
export const wholeModel = (bytes: Uint8Array): Model => ({ bytes, weights: [] })

/** Bytes of a tensor from which on it is not copied into the file. */
const large = 2 ** 7

/** The model with values for inputs that it lacks. Large ones stay where they are. */
export const modelWith = (bytes: Uint8Array, values: ReadonlyMap<string, HostTensor>): Model => {
  const all = [...values].map(([name, value]) => tensorProto(name, value))
  const outside = all.filter((item) => item.bytes.length >= large)
  const initializer = (item: TensorProto): TensorProto | ExternalTensorProto =>
    item.bytes.length < large
      ? item
      : { name: item.name, dtype: item.dtype, shape: item.shape, location: item.name, length: item.bytes.length }
  return {
    bytes: withInitializers(bytes, all.map(initializer)),
    weights: outside.map((item) => ({ path: item.name, data: item.bytes })),
  }
}

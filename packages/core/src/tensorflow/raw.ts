/** TensorFlow's own operations, through the backend of tfjs-node. */
import type * as tf from "@tensorflow/tfjs-core"
import type { DType } from "../tensor.js"

interface OpAttr {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

/** The attributes that the addon can set. */
interface Binding {
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_SHAPE: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_TYPE: number
}

/** What tfjs-node's backend has beyond those of tfjs. */
export interface TensorFlowBackend extends tf.KernelBackend {
  readonly binding: Binding
  readonly getDTypeInteger: (dtype: DType) => number
  readonly executeMultipleOutputs: (
    name: string,
    attrs: ReadonlyArray<OpAttr>,
    inputs: ReadonlyArray<tf.TensorInfo>,
    count: number,
  ) => Array<tf.Tensor>
}

/** An attribute of an operation. Types of operands need none: TensorFlow reads them off. */
export type RawAttr =
  | boolean
  | number
  | { readonly type: DType }
  | { readonly text: string }
  | { readonly shape: Array<number> }

const attrOf = (backend: TensorFlowBackend, name: string, value: RawAttr): OpAttr => {
  const { binding } = backend
  if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value }
  if (typeof value === "number") return { name, type: binding.TF_ATTR_INT, value }
  if ("text" in value) return { name, type: binding.TF_ATTR_STRING, value: value.text }
  if ("shape" in value) return { name, type: binding.TF_ATTR_SHAPE, value: value.shape }
  return { name, type: binding.TF_ATTR_TYPE, value: backend.getDTypeInteger(value.type) }
}

/** Runs an operation by its name in TensorFlow. */
export type Raw = (
  name: string,
  inputs: ReadonlyArray<tf.TensorInfo>,
  attrs?: Readonly<Record<string, RawAttr>>,
  outputs?: number,
) => Array<tf.Tensor>

/** The operations of a backend that has started. */
export const rawOf =
  (backend: TensorFlowBackend): Raw =>
  (name, inputs, attrs = {}, outputs = 1) =>
    backend.executeMultipleOutputs(
      name,
      Object.entries(attrs).map(([key, value]) => attrOf(backend, key, value)),
      inputs,
      outputs,
    )

/** Tensors as plain data: what crosses the border between a program's author, an engine and a file. */

/** Element types that programs compute with. */
export type DType = "float32" | "int32" | "bool"

/** The static type of a tensor: its element type and the size of each axis. */
export interface TensorSpec {
  readonly dtype: DType
  readonly shape: ReadonlyArray<number>
}

/** A tensor in ordinary memory, row-major. `bool` uses one byte an element. */
export interface HostTensor extends TensorSpec {
  readonly data: Float32Array | Int32Array | Uint8Array
}

/** Named tensor types. */
export type Specs = Readonly<Record<string, TensorSpec>>

/** Named tensors in ordinary memory. */
export type HostTensors = Readonly<Record<string, HostTensor>>

/** Zeros for so many elements. */
export const emptyData = (dtype: DType, size: number): HostTensor["data"] =>
  dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)

/** Number of elements of a shape. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/** The type of one tensor. */
export const spec = (dtype: DType, shape: ReadonlyArray<number>): TensorSpec => ({ dtype, shape })

/** A float32 tensor from numbers in row-major order. */
export const float32 = (shape: ReadonlyArray<number>, values: ArrayLike<number>): HostTensor => ({
  dtype: "float32",
  shape,
  data: values instanceof Float32Array ? values : Float32Array.from(values),
})

/** An int32 tensor from numbers in row-major order. */
export const int32 = (shape: ReadonlyArray<number>, values: ArrayLike<number>): HostTensor => ({
  dtype: "int32",
  shape,
  data: values instanceof Int32Array ? values : Int32Array.from(values),
})

/** `float32[8, 128]` */
export const showSpec = ({ dtype, shape }: TensorSpec): string => `${dtype}[${shape.join(", ")}]`

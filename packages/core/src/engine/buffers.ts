/** Tensors of ONNX Runtime over plain arrays. Runs in the engine's child. */
import { Tensor } from "onnxruntime-node"
import { type DType, type HostTensor, sizeOf, type TensorSpec } from "../tensor.js"
import type { WireTensors } from "./wire.js"

type Data = HostTensor["data"]

/** A tensor of the state: the values that count, and a buffer of the same size for the next ones. */
export interface Cell {
  front: Tensor
  back: Tensor | null
  /** Another number each time that the value changes; no two cells share one. */
  version: number
}

let lastVersion = 0

/** A cell with a first value. */
export const makeCell = (front: Tensor): Cell => ({ front, back: null, version: ++lastVersion })

/** Says that a cell's value has changed. */
export const touch = (cell: Cell): void => {
  cell.version = ++lastVersion
}

export const emptyData = (dtype: DType, size: number): Data =>
  dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)

export const tensorOf = (dtype: DType, data: Data, shape: ReadonlyArray<number>): Tensor =>
  new Tensor(dtype, data, shape)

export const emptyTensor = ({ dtype, shape }: TensorSpec): Tensor =>
  tensorOf(dtype, emptyData(dtype, sizeOf(shape)), shape)

export const hostTensor = (tensor: Tensor): HostTensor => ({
  dtype: tensor.type as DType,
  shape: tensor.dims,
  data: tensor.data as Data,
})

/** The same values in memory of their own. */
export const copied = (tensor: Tensor): Tensor => {
  const { dtype, data, shape } = hostTensor(tensor)
  return tensorOf(dtype, data.slice(), shape)
}

/** What came from the main process, as tensors. Two names may come as one array (the channel keeps identity); cells are
 * written to, so each gets its own. */
export const received = (values: WireTensors): ReadonlyArray<readonly [string, Tensor]> => {
  const seen = new Set<Data>()
  return Object.entries(values).map(([name, tensor]) => {
    if ("fill" in tensor) {
      const empty = emptyTensor(tensor)
      // Fresh memory is zero without being touched; what nobody touches takes no place.
      if (!Object.is(tensor.fill, 0)) (empty.data as Data).fill(tensor.fill)
      return [name, empty]
    }
    const data = seen.has(tensor.data) ? tensor.data.slice() : tensor.data
    seen.add(data)
    return [name, tensorOf(tensor.dtype, data, tensor.shape)]
  })
}

/** Row `i` of `count` rows, without a copy. */
export const row = (data: Data, i: number, size: number): Data => data.subarray(i * size, (i + 1) * size)

/**
 * Writes rows of a table in place.
 * @param width  elements of a row
 * @throws Error  a row that the table does not have
 */
export const writeRows = (table: Data, rows: Data, values: Data, width: number): void => {
  const count = table.length / width
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (!(row >= 0 && row < count)) throw new Error(`row ${row} is outside of a table of ${count} rows`)
    table.set(values.subarray(i * width, (i + 1) * width), row * width)
  }
}

/** Tensors of ONNX Runtime over plain arrays. Runs in the engine's child. */
import { Tensor } from "onnxruntime-node"
import { type DType, emptyData, type HostTensor, sizeOf, type TensorSpec } from "../tensor.js"
import type { Piece, Range } from "./wire.js"

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

/** A piece of a tensor, without a copy. */
export const pieceOf = (tensor: Tensor, { begin, end }: Range): HostTensor => ({
  dtype: tensor.type as DType,
  shape: [end - begin],
  data: (tensor.data as Data).subarray(begin, end),
})

/** Writes a piece of a tensor in place. */
export const writePiece = (tensor: Tensor, piece: Piece): void => {
  const data = tensor.data as Data
  if ("fill" in piece) data.fill(piece.fill, piece.begin, piece.end)
  else data.set(piece.data, piece.begin)
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

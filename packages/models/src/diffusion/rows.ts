/** Rows of a batch that an engine was compiled for, and rows that were asked for. */
import {
  emptyData,
  type HostTensor,
  type HostTensors,
  ShapeMismatch,
  type Specs,
  showSpec,
  sizeOf,
} from "@millrace/core"

/** @returns  what is wrong with conditions of `n` rows, or null */
export const checkRows = (where: string, specs: Specs, given: HostTensors, n: number): ShapeMismatch | null => {
  const names = new Set([...Object.keys(specs), ...Object.keys(given)])
  const wrong = [...names].flatMap((name) => {
    const [row, tensor] = [specs[name], given[name]]
    if (row === undefined) return [[`no ${name}`, `${name} ${showSpec(tensor!)}`]]
    const wanted = { dtype: row.dtype, shape: [n, ...row.shape] }
    const received = tensor === undefined ? "none" : showSpec(tensor)
    return received === showSpec(wanted) ? [] : [[`${name} ${showSpec(wanted)}`, `${name} ${received}`]]
  })
  return wrong.length === 0
    ? null
    : new ShapeMismatch({
        where,
        expected: wrong.map(([expected]) => expected).join("\n"),
        received: wrong.map(([, received]) => received).join("\n"),
        fix: "give one row for each sample, under the names of the denoiser's conditions",
      })
}

/** Some rows of a tensor, in this order. */
export const takeRows = ({ dtype, shape: [, ...row], data }: HostTensor, rows: ReadonlyArray<number>): HostTensor => {
  const size = sizeOf(row)
  const taken = emptyData(dtype, rows.length * size)
  for (const [i, at] of rows.entries()) taken.set(data.subarray(at * size, (at + 1) * size), i * size)
  return { dtype, shape: [rows.length, ...row], data: taken }
}

/** The rows of each batch, all of one size: a last one that is not full repeats the last row. */
export const rowBatches = (count: number, batch: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: Math.ceil(count / batch) }, (_, at) =>
    Array.from({ length: batch }, (_, i) => Math.min(at * batch + i, count - 1)),
  )

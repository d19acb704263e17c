/**
 * The tables that one call changes by rows, or in place: a copy of each, made when the first rows come. Runs in the
 * engine's child.
 */
import type { Tensor } from "onnxruntime-node"
import { type Cell, emptyTensor, hostTensor, touch, writeRows } from "./buffers.js"
import type { CompileRequest, PlacePorts, RowPorts } from "./protocol.js"

export interface RowTables {
  /** Buffers for the outputs that the rows come in, and the tables that are outputs, by their name in the model. */
  readonly fetches: Readonly<Record<string, Tensor>>
  /** What a step reads of a cell; undefined where this call has written none of its rows yet. */
  readonly present: (cell: Cell) => Tensor | undefined
  /** Writes the rows that the last run has left in `fetches`. */
  readonly write: () => void
  /** Makes the copies what counts. */
  readonly settle: () => void
}

export const openRowTables = (
  { rows: updates, places }: Pick<CompileRequest, "rows" | "places">,
  scratch: ReadonlyArray<string>,
  cellOf: (update: RowPorts | PlacePorts) => Cell,
): RowTables => {
  const ports = updates.flatMap(({ rows, values }) => [rows, values])
  const tables = new Map<Cell, Tensor>()

  /** The table itself where nobody wants its values back. */
  const tableOf = (cell: Cell, slot: string): Tensor => {
    if (scratch.includes(slot)) return cell.front
    cell.back ??= emptyTensor(hostTensor(cell.front))
    hostTensor(cell.back).data.set(hostTensor(cell.front).data)
    return cell.back
  }
  const whole = places.map((place) => {
    const cell = cellOf(place)
    const table = tableOf(cell, place.slot)
    tables.set(cell, table)
    return [place.model, table] as const
  })
  const fetches = Object.fromEntries([...ports.map((port) => [port.model, emptyTensor(port)] as const), ...whole])
  return {
    fetches,
    present: (cell) => tables.get(cell),
    write: () => {
      for (const update of updates) {
        const cell = cellOf(update)
        const table = tables.get(cell) ?? tableOf(cell, update.slot)
        tables.set(cell, table)
        const [rows, values] = [update.rows, update.values].map(({ model }) => hostTensor(fetches[model]!).data)
        writeRows(hostTensor(table).data, rows!, values!, values!.length / rows!.length)
      }
    },
    settle: () => {
      for (const [cell, table] of tables) {
        if (table !== cell.front) cell.back = cell.front
        cell.front = table
        touch(cell)
      }
    },
  }
}

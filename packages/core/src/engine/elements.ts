/**
 * State that the engine updates element by element, in place. Runs in the engine's child.
 *
 * A WebAssembly function sees one memory, so that the tensors of an update live in one: state moves in when a program
 * first updates it and stays; outputs that an update reads are written there by the session. Nothing is copied between steps.
 */
import type { Tensor } from "onnxruntime-node"
import { turnBytes } from "../updates/kernel.js"
import { abandon } from "./abandon.js"
import { type Cell, emptyTensor, tensorOf, touch } from "./buffers.js"
import type { CompileRequest, ElementPorts } from "./protocol.js"
import { Instance, Memory, Module, type WasmModule } from "./webAssembly.js"

/** Bytes of a memory that several updates share, unless one alone needs more. */
const memoryBytes = 2 ** 30
const pageBytes = 2 ** 16

type Run = (bytes: number, ...addressesAndScalars: ReadonlyArray<number>) => void

/** One update with a place in memory for each of its tensors. */
interface Placed {
  readonly ports: ElementPorts
  readonly run: Run
  readonly bytes: number
  readonly addresses: ReadonlyArray<number>
  readonly views: ReadonlyArray<Tensor>
  /** Whose value is in each place, for those that hold state. */
  readonly owners: Array<Cell | null>
}

export interface Elements {
  /** Where the session writes what the updates read, by name in the model. */
  readonly fetches: Readonly<Record<string, Tensor>>
  /** Moves the state in, before a run: what it leaves behind is then free while the run needs most memory. */
  readonly adopt: (cellOf: CellOf) => void
  /** Does every update, on the state that `cellOf` names. */
  readonly update: (cellOf: CellOf) => void
  /** Copies the state that updates overwrite; the result puts it back. */
  readonly snapshot: (cellOf: CellOf) => () => void
}

type CellOf = (state: { readonly slot: string; readonly name: string }) => Cell

const dataOf = (tensor: Tensor): Float32Array => tensor.data as Float32Array

const bytesOf = ({ size }: ElementPorts): number => Math.ceil((4 * size) / turnBytes) * turnBytes
const needed = (ports: ElementPorts): number => bytesOf(ports) * ports.tensors.length

/** Updates in memories of their own, as many as fit into each. */
const pack = (all: ReadonlyArray<ElementPorts>): ReadonlyArray<ReadonlyArray<ElementPorts>> => {
  const memories: Array<{ bytes: number; updates: Array<ElementPorts> }> = []
  for (const ports of all) {
    const last = memories.at(-1)
    if (last === undefined || last.bytes + needed(ports) > memoryBytes) {
      memories.push({ bytes: needed(ports), updates: [ports] })
    } else {
      last.bytes += needed(ports)
      last.updates.push(ports)
    }
  }
  return memories.map(({ updates }) => updates)
}

const place = (updates: ReadonlyArray<ElementPorts>, modules: ReadonlyArray<WasmModule>): Array<Placed> => {
  const total = updates.reduce((bytes, ports) => bytes + needed(ports), 0)
  const memory = new Memory({ initial: Math.ceil(total / pageBytes) })
  const functions = new Map<number, Run>()
  const runOf = (index: number): Run => {
    const known = functions.get(index)
    if (known !== undefined) return known
    const instance = new Instance(modules[index]!, { state: { memory } })
    const run = instance.exports.run as Run
    functions.set(index, run)
    return run
  }
  let next = 0
  return updates.map((ports) => {
    const bytes = bytesOf(ports)
    const addresses = ports.tensors.map((_, i) => next + i * bytes)
    next += needed(ports)
    const views = addresses.map((at) =>
      tensorOf("float32", new Float32Array(memory.buffer, at, ports.size), ports.shape),
    )
    return { ports, run: runOf(ports.module), bytes, addresses, views, owners: ports.tensors.map(() => null) }
  })
}

/** Makes a place in memory the one where a cell's value is; whoever was there before takes its value along. */
const moveIn = ({ views, owners }: Placed, i: number, cell: Cell): void => {
  const view = views[i]!
  if (cell.front === view) return
  const before = owners[i]
  if (before !== null && before !== undefined) {
    if (before.front === view) before.front = tensorOf("float32", dataOf(view).slice(), view.dims)
    // A program that writes the whole state has left the place behind, to be written next.
    if (before.back === view) before.back = null
  }
  const old = dataOf(cell.front)
  dataOf(view).set(old)
  cell.front = view
  cell.back = null
  abandon(old.byteLength)
  owners[i] = cell
}

export const openElements = ({ elements, modules }: Pick<CompileRequest, "elements" | "modules">): Elements => {
  const compiled = modules.map((bytes) => new Module(bytes.slice()))
  const placed = pack(elements).flatMap((updates) => place(updates, compiled))
  const fetches: Record<string, Tensor> = {}
  /** Outputs that a second update reads too, in another place. */
  const copies: Array<{ readonly from: Tensor; readonly to: Tensor }> = []
  for (const { ports, views } of placed) {
    ports.tensors.forEach((tensor, i) => {
      if (!("model" in tensor)) return
      const known = fetches[tensor.model]
      if (known === undefined) fetches[tensor.model] = views[i]!
      else copies.push({ from: known, to: views[i]! })
    })
    for (const { model, dtype, shape } of ports.scalars) fetches[model] ??= emptyTensor({ dtype, shape })
  }
  const adopt = (cellOf: CellOf): void => {
    for (const each of placed) {
      each.ports.tensors.forEach((tensor, i) => {
        if (!("model" in tensor)) moveIn(each, i, cellOf(tensor))
      })
    }
  }
  return {
    fetches,
    adopt,
    snapshot: (cellOf) => {
      const cells = placed.flatMap(({ ports }) =>
        ports.tensors.flatMap((each) => ("model" in each ? [] : [cellOf(each)])),
      )
      const before = cells.map(({ front }) => dataOf(front).slice())
      return () => {
        for (const [i, cell] of cells.entries()) {
          dataOf(cell.front).set(before[i]!)
          touch(cell)
        }
      }
    },
    update: (cellOf) => {
      for (const { from, to } of copies) dataOf(to).set(dataOf(from))
      adopt(cellOf)
      for (const each of placed) {
        for (const tensor of each.ports.tensors) if (!("model" in tensor)) touch(cellOf(tensor))
        each.run(each.bytes, ...each.addresses, ...each.ports.scalars.map(({ model }) => dataOf(fetches[model]!)[0]!))
      }
    },
  }
}

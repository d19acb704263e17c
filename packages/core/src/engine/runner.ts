/**
 * State and the running of programs inside an engine's child process.
 *
 * State is written by the session itself, into buffers that no reader sees: a call that fails, is refused by `commitIf`
 * or is cancelled leaves the old values in place, and one that succeeds swaps two references. What a program changes by
 * rows is copied once a call, and the rows are written into the copy; so is what it changes in place. What it changes element by element is overwritten
 * after the run, when nothing can fail any more; a loop of several steps keeps a copy to go back to.
 */
import type { Tensor } from "onnxruntime-node"
import { emptyData, type HostTensor, type HostTensors, type Specs, sizeOf } from "../tensor.js"
import { abandon, collect } from "./abandon.js"
import {
  type Cell,
  copied,
  emptyTensor,
  hostTensor,
  makeCell,
  pieceOf,
  row,
  tensorOf,
  touch,
  writePiece,
} from "./buffers.js"
import { directRun } from "./directRun.js"
import { type Elements, openElements } from "./elements.js"
import { modelWith, wholeModel } from "./model.js"
import type { Bindings, CompileRequest, FixRequest, LoopRequest, ModelPort, RunRequest } from "./protocol.js"
import { openRowTables } from "./rowTables.js"
import type { Session, Sessions } from "./sessions.js"
import type { Pieces, Ranges } from "./wire.js"

type Slots = Map<string, Cell>

/** A variant whose weights are part of the model, and the session that holds the present ones. */
interface Fixed {
  readonly request: FixRequest
  session: string | null
}

interface Loaded {
  readonly request: CompileRequest
  readonly elements: Elements
  readonly fixed: Map<string, Fixed>
}

export class Cancelled extends Error {}

export interface Runner {
  readonly compile: (request: CompileRequest) => Promise<void>
  readonly fix: (request: FixRequest) => void
  readonly release: (program: number) => Promise<void>
  /** What the program was compiled from. */
  readonly compiled: (program: number) => CompileRequest
  readonly allocate: (state: number, specs: Specs) => void
  readonly free: (state: number) => void
  readonly read: (state: number, ranges: Ranges) => HostTensors
  readonly write: (state: number, pieces: Pieces) => void
  readonly run: (request: RunRequest) => Promise<HostTensors>
  readonly loop: (request: LoopRequest, cancelled: () => boolean) => Promise<HostTensors>
}

/**
 * @param time  runs a part of a step that is the engine's own work, under the name that a profile shows it by
 */
export const makeRunner = (sessions: Sessions, time: <A>(name: string, work: () => A) => A): Runner => {
  const programs = new Map<number, Loaded>()
  const states = new Map<number, Slots>()

  const programOf = (id: number) => {
    const program = programs.get(id)
    if (program === undefined) throw new Error("the program has been released: its scope is closed")
    return program
  }
  const stateOf = (id: number): Slots => {
    const slots = states.get(id)
    if (slots === undefined) throw new Error("the state has been freed: its scope is closed")
    return slots
  }
  const sessionOf = ({ hash, model }: CompileRequest): Promise<Session> => sessions.get(hash, () => wholeModel(model))
  /** The session in which the cells' present values are constants; made anew when one of them has changed. */
  const fixedSession = async (fixed: Fixed, state: Bindings): Promise<Session> => {
    const cells = fixed.request.weights.map((port) => ({ port, cell: cellOf(state, port) }))
    const hash = `${fixed.request.hash} ${cells.map(({ cell }) => cell.version)}`
    if (fixed.session !== hash) {
      if (fixed.session !== null) await sessions.discard(fixed.session)
      sessions.hold(hash)
      fixed.session = hash
      collect()
    }
    return sessions.get(hash, () =>
      modelWith(fixed.request.model, new Map(cells.map(({ port, cell }) => [port.model, hostTensor(cell.front)]))),
    )
  }
  const cellOf = (bindings: Bindings, { slot, name }: Pick<ModelPort, "slot" | "name">): Cell =>
    stateOf(bindings[slot ?? ""] ?? -1).get(name)!

  const loop = async (request: LoopRequest, cancelled: () => boolean, cancellable = true): Promise<HostTensors> => {
    const { request: program, elements, fixed: variants } = programOf(request.program)
    const fixed = variants.get(JSON.stringify(request.constants))
    const session = await (fixed === undefined ? sessionOf(program) : fixedSession(fixed, request.state))
    const { inputs } = fixed?.request ?? program
    elements.adopt((state) => cellOf(request.state, state))
    const { steps } = request
    const plain = program.outputs.filter(({ slot }) => slot === null)
    const written = program.outputs.filter(({ slot }) => slot !== null)
    const collected = new Map<string, HostTensor>()
    for (const { name, dtype, shape } of plain) {
      if (!request.collect.includes(name)) continue
      collected.set(name, { dtype, shape: [steps, ...shape], data: emptyData(dtype, steps * sizeOf(shape)) })
    }
    // What a step reads of the state: the values that count until a step of this call has made new ones.
    const current = new Map(written.map((port) => [port.model, cellOf(request.state, port).front]))
    const spare = new Map<string, Tensor>()
    const inputOf = new Map(Object.entries(request.carry))
    const carried = new Map<string, Tensor>(
      Object.entries(request.first).map(([name, { dtype, data, shape }]) => [name, tensorOf(dtype, data, shape)]),
    )
    const given = new Map<string, Tensor>(
      Object.entries(request.inputs).map(([name, { dtype, data, shape }]) => [name, tensorOf(dtype, data, shape)]),
    )
    const pairs = new Map<string, [Tensor, Tensor]>()
    // By cell, not by slot: one state may be in several slots.
    const writers = new Map(written.map((port) => [cellOf(request.state, port), port.model]))
    const tables = openRowTables(program, request.scratch, (update) => cellOf(request.state, update))
    const places = new Set(program.places.map(({ slot, name }) => `${slot}/${name}`))
    const overwritten = new Set(program.places.map((place) => cellOf(request.state, place)))

    const feedOf = (port: ModelPort, step: number): Tensor => {
      if (port.slot !== null) {
        const cell = cellOf(request.state, port)
        const model = writers.get(cell)
        const present = (model === undefined ? tables.present(cell) : current.get(model)) ?? cell.front
        // Another slot of the same state reads what was there before the run writes over it.
        return overwritten.has(cell) && !places.has(`${port.slot}/${port.name}`) ? copied(present) : present
      }
      const each = request.each[port.name]
      if (each !== undefined) return tensorOf(each.dtype, row(each.data, step, sizeOf(port.shape)), port.shape)
      return (carried.get(port.name) ?? given.get(port.name))!
    }
    const fetchOf = (port: ModelPort, step: number): Tensor | undefined => {
      const stack = collected.get(port.name)
      if (stack !== undefined) return tensorOf(port.dtype, row(stack.data, step, sizeOf(port.shape)), port.shape)
      if (!inputOf.has(port.name) && port.name !== program.commitIf) return undefined
      const pair = pairs.get(port.name) ?? [emptyTensor(port), emptyTensor(port)]
      pairs.set(port.name, pair)
      return pair[step % 2]
    }
    const nextOf = (port: ModelPort): Tensor => {
      const cell = cellOf(request.state, port)
      const free = spare.get(port.model) ?? cell.back ?? emptyTensor(port)
      if (free === cell.back) cell.back = null
      spare.delete(port.model)
      return free
    }

    const oneStep = async (step: number): Promise<void> => {
      const feeds: Record<string, Tensor> = {}
      for (const port of inputs) feeds[port.model] = feedOf(port, step)
      const fetches: Record<string, Tensor> = { ...tables.fetches, ...elements.fetches }
      const next = new Map(written.map((port) => [port.model, nextOf(port)]))
      for (const [model, tensor] of next) fetches[model] = tensor
      for (const port of plain) {
        const tensor = fetchOf(port, step)
        if (tensor !== undefined) fetches[port.model] = tensor
      }
      await directRun(session, feeds, fetches)
      const guard = plain.find(({ name }) => name === program.commitIf)
      const keep = guard === undefined || (fetches[guard.model]!.data as Uint8Array)[0] === 1
      for (const port of written) {
        const made = next.get(port.model)!
        const before = current.get(port.model)!
        if (!keep) spare.set(port.model, made)
        else {
          if (before !== cellOf(request.state, port).front) spare.set(port.model, before)
          current.set(port.model, made)
        }
      }
      if (keep && program.rows.length > 0) time("rows of state", tables.write)
      if (keep && program.elements.length > 0) {
        time("elements of state", () => elements.update((state) => cellOf(request.state, state)))
      }
      for (const port of plain) {
        const input = inputOf.get(port.name)
        if (input !== undefined) carried.set(input, fetches[port.model]!)
      }
    }
    const undo = cancellable ? elements.snapshot((state) => cellOf(request.state, state)) : () => {}
    try {
      for (let step = 0; step < steps; step++) {
        // A session runs in a turn of the event loop of its own, so that a message to cancel gets in between.
        await oneStep(step)
        if (cancelled()) throw new Cancelled("cancelled")
      }
    } catch (error) {
      undo()
      throw error
    }
    for (const port of written) {
      const cell = cellOf(request.state, port)
      const last = current.get(port.model)!
      if (last !== cell.front) {
        cell.back = cell.front
        cell.front = last
        touch(cell)
      } else cell.back ??= spare.get(port.model) ?? null
    }
    tables.settle()
    return Object.fromEntries(collected)
  }

  return {
    compile: async (request) => {
      await sessionOf(request)
      sessions.hold(request.hash)
      programs.set(request.program, { request, elements: openElements(request), fixed: new Map() })
    },
    fix: (request) => {
      programOf(request.program).fixed.set(JSON.stringify(request.constants), { request, session: null })
    },
    compiled: (program) => programOf(program).request,
    release: async (program) => {
      const found = programs.get(program)
      programs.delete(program)
      if (found === undefined) return
      await sessions.drop(found.request.hash)
      for (const { session } of found.fixed.values()) if (session !== null) await sessions.discard(session)
    },
    allocate: (state, specs) => {
      // Fresh memory is zero without being touched; what nobody touches takes no place.
      states.set(state, new Map(Object.entries(specs).map(([name, spec]) => [name, makeCell(emptyTensor(spec))])))
    },
    free: (state) => {
      for (const { front, back } of states.get(state)?.values() ?? []) {
        for (const tensor of [front, back]) if (tensor !== null) abandon(hostTensor(tensor).data.byteLength)
      }
      states.delete(state)
    },
    read: (state, ranges) => {
      const slots = stateOf(state)
      return Object.fromEntries(
        Object.entries(ranges).map(([name, range]) => [name, pieceOf(slots.get(name)!.front, range)]),
      )
    },
    write: (state, pieces) => {
      const slots = stateOf(state)
      for (const [name, piece] of Object.entries(pieces)) {
        const cell = slots.get(name)!
        writePiece(cell.front, piece)
        touch(cell)
      }
    },
    run: async (request) => {
      const outputs = programOf(request.program).request.outputs.filter(({ slot }) => slot === null)
      const call: LoopRequest = {
        ...request,
        kind: "loop",
        steps: 1,
        each: {},
        first: {},
        carry: {},
        collect: outputs.map(({ name }) => name),
        constants: [],
        scratch: [],
      }
      const stacked = await loop(call, () => false, false)
      return Object.fromEntries(outputs.map(({ name, shape }) => [name, { ...stacked[name]!, shape }]))
    },
    loop,
  }
}

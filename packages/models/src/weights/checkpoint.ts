/** A foreign checkpoint as a model's parameters, and back. */
import { BadData, type HostTensor, type HostTensors, type ParamSpec, sizeOf } from "@millrace/core"
import { inverse, rearrange } from "./rearrange.js"
import { fillName, matchName, type Rename, type RenameTable } from "./renameTable.js"

type Specs = Readonly<Record<string, ParamSpec>>

interface Found {
  readonly rename: Rename
  readonly theirs: ReadonlyArray<string>
}

const findRename = (table: RenameTable, ours: string): Found | null => {
  for (const rename of table.renames) {
    const numbers = matchName(rename.ours, ours)
    if (numbers === null) continue
    const theirs = typeof rename.theirs === "string" ? [rename.theirs] : rename.theirs
    return { rename, theirs: theirs.map((pattern) => fillName(pattern, numbers)) }
  }
  return null
}

const show = ({ dtype, shape }: { readonly dtype: string; readonly shape: ReadonlyArray<number> }): string =>
  `${dtype} [${shape.join(", ")}]`

/** Tensors side by side along their last axis. */
const joined = (parts: ReadonlyArray<HostTensor>): HostTensor => {
  if (parts.length === 1) return parts[0]!
  const widths = parts.map(({ shape }) => shape.at(-1) ?? 1)
  const width = widths.reduce((a, b) => a + b, 0)
  const shape = [...parts[0]!.shape.slice(0, -1), width]
  const data = new Float32Array(sizeOf(shape))
  let left = 0
  for (const [i, part] of parts.entries()) {
    const wide = widths[i]!
    for (let row = 0; row * wide < part.data.length; row++) {
      data.set((part.data as Float32Array).subarray(row * wide, (row + 1) * wide), row * width + left)
    }
    left += wide
  }
  return { dtype: "float32", shape, data }
}

/** Equal parts along the last axis. */
const parted = (whole: HostTensor, count: number): ReadonlyArray<HostTensor> => {
  if (count === 1) return [whole]
  const width = whole.shape.at(-1) ?? 1
  const wide = width / count
  const shape = [...whole.shape.slice(0, -1), wide]
  return Array.from({ length: count }, (_, i) => {
    const data = new Float32Array(sizeOf(shape))
    for (let row = 0; row * wide < data.length; row++) {
      const from = row * width + i * wide
      data.set((whole.data as Float32Array).subarray(from, from + wide), row * wide)
    }
    return { dtype: "float32", shape, data }
  })
}

/**
 * A model's parameters from a checkpoint of other names and axes.
 * @param specs  the model's parameters by flat name: `flatten(gptParams(config), isParamSpec)`
 * @param where  the file's name, for errors
 * @throws BadData  every tensor that is missing, left over, of another dtype or of another shape, in one error
 */
export const fromCheckpoint = (table: RenameTable, specs: Specs, tensors: HostTensors, where: string): HostTensors => {
  const expected: Array<string> = []
  const received: Array<string> = []
  const wrong = (wanted: string, found: string): void => {
    expected.push(wanted)
    received.push(found)
  }
  const used = new Set<string>()
  const out: Record<string, HostTensor> = {}
  for (const [ours, spec] of Object.entries(specs)) {
    const found = findRename(table, ours)
    if (found === null) {
      wrong(`a name for ${ours}`, `none in the table "${table.name}"`)
      continue
    }
    const { theirs, rename } = found
    for (const name of theirs) used.add(name)
    const parts = theirs.map((name) => (Object.hasOwn(tensors, name) ? tensors[name]! : null))
    const lost = theirs.filter((_, i) => parts[i] === null || parts[i]!.dtype !== "float32")
    if (lost.length > 0) {
      for (const name of lost) {
        const there = Object.hasOwn(tensors, name) ? tensors[name]! : null
        wrong(`${name}: float32`, there === null ? `${name}: missing` : `${name}: ${show(there)}`)
      }
      continue
    }
    try {
      const value = joined(
        parts.map((part) =>
          rename.axes === undefined ? part! : rearrange(part!, rename.axes, table.sizes, theirs.join(", ")),
        ),
      )
      if (value.shape.join() === spec.shape.join()) out[ours] = value
      else wrong(`${theirs.join(", ")}: [${spec.shape.join(", ")}] as ${ours}`, `[${value.shape.join(", ")}]`)
    } catch (error) {
      if (!(error instanceof BadData)) throw error
      wrong(`${theirs.join(", ")}: [${spec.shape.join(", ")}] as ${ours}`, error.received)
    }
  }
  for (const name of Object.keys(tensors)) {
    if (used.has(name) || (table.ignored ?? []).some((pattern) => matchName(pattern, name) !== null)) continue
    wrong(`nothing named ${name}`, `${name}: ${show(tensors[name]!)}`)
  }
  if (expected.length > 0) {
    throw new BadData({
      where,
      expected: expected.join("\n"),
      received: received.join("\n"),
      fix: `check that the file is a ${table.name} of this config`,
    })
  }
  return out
}

/**
 * A model's values under the names and axes of another framework: what `fromCheckpoint` reads.
 * @throws BadData  a value has no name in the table
 */
export const toCheckpoint = (table: RenameTable, values: HostTensors): HostTensors => {
  const out: Record<string, HostTensor> = {}
  const nameless: Array<string> = []
  for (const [ours, value] of Object.entries(values)) {
    const found = findRename(table, ours)
    if (found === null) {
      nameless.push(ours)
      continue
    }
    const { theirs, rename } = found
    for (const [i, part] of parted(value, theirs.length).entries()) {
      out[theirs[i]!] = rename.axes === undefined ? part : rearrange(part, inverse(rename.axes), table.sizes, ours)
    }
  }
  if (nameless.length > 0) {
    throw new BadData({
      where: table.name,
      expected: "a name for every parameter",
      received: `none for ${nameless.join(", ")}`,
      fix: "use the table of this model",
    })
  }
  return out
}

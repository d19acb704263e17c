/** A foreign checkpoint as a model's parameters, and back. */
import { BadData, type HostTensor, type HostTensors, type ParamSpec, sizeOf } from "@millrace/core"
import { checkCheckpoint, copiesIn } from "./checkCheckpoint.js"
import { inverse, rearrange } from "./rearrange.js"
import { findRename, type RenameTable } from "./renameTable.js"

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

const same = ({ data: a }: HostTensor, { data: b }: HostTensor): boolean =>
  a.length === b.length && a.every((x: number, i: number) => x === b[i] || Object.is(x, b[i]))

/** A tied weight is read once: a copy of it that says something else would be lost. */
const requireTied = (table: RenameTable, tensors: HostTensors, used: ReadonlySet<string>, where: string): void => {
  const different = [...copiesIn(table, Object.keys(tensors), used)].filter(
    ([copy, of]) => !same(tensors[copy]!, tensors[of]!),
  )
  if (different.length === 0) return
  throw new BadData({
    where,
    expected: different.map(([copy, of]) => `${copy} to be ${of} again, as the config ties them`).join("\n"),
    received: different.map(([copy, of]) => `${copy} with other values than ${of}`).join("\n"),
    fix: "load it with a config that does not tie them",
  })
}

/**
 * A model's parameters from a checkpoint of other names and axes.
 * @param specs  the model's parameters by flat name: `flatten(gptParams(config), isParamSpec)`
 * @param where  the file's name, for errors
 * @throws BadData  every tensor that is missing, left over, of another dtype or of another shape, in one error; a copy of a
 *                  tied weight with other values
 */
export const fromCheckpoint = (
  table: RenameTable,
  specs: Readonly<Record<string, ParamSpec>>,
  tensors: HostTensors,
  where: string,
): HostTensors => {
  checkCheckpoint(table, specs, tensors, where)
  const used = new Set(Object.keys(specs).flatMap((ours) => findRename(table, ours)?.theirs ?? []))
  requireTied(table, tensors, used, where)
  return Object.fromEntries(
    Object.keys(specs).map((ours) => {
      const { rename, theirs } = findRename(table, ours)!
      const parts = theirs.map((name) => tensors[name]!)
      const { axes } = rename
      return [ours, joined(axes === undefined ? parts : parts.map((part) => rearrange(part, axes, table.sizes, ours)))]
    }),
  )
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

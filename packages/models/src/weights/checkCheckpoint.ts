import { BadData, type ParamSpec } from "@millrace/core"
import { rearrangedShape } from "./rearrange.js"
import { findRename, matchName, type Rename, type RenameTable } from "./renameTable.js"

/** What a file says that it holds, before it is read. */
interface Header {
  readonly [name: string]: { readonly dtype: string; readonly shape: ReadonlyArray<number> }
}

const show = ({ dtype, shape }: Header[string]): string => `${dtype} [${shape.join(", ")}]`

/** The shape of parts that stand side by side along the last axis, each with its axes in our order. */
const joinedShape = (
  parts: ReadonlyArray<ReadonlyArray<number>>,
  { axes }: Rename,
  sizes: RenameTable["sizes"],
): ReadonlyArray<number> => {
  const shapes = axes === undefined ? parts : parts.map((shape) => rearrangedShape(shape, axes, sizes))
  const [first = []] = shapes
  if (shapes.length === 1) return first
  const before = first.slice(0, -1)
  if (first.length === 0 || shapes.some((shape) => shape.slice(0, -1).join() !== before.join())) {
    const received = shapes.map((shape) => `[${shape.join(", ")}]`).join(", ")
    throw new BadData({ where: "parts", expected: "parts that stand side by side", received, fix: "see the table" })
  }
  return [...before, shapes.reduce((sum, shape) => sum + (shape.at(-1) ?? 0), 0)]
}

/** Copies of tied weights among names, with what they copy; one that the model takes by itself is none. */
export const copiesIn = (
  { tied = {} }: RenameTable,
  names: ReadonlyArray<string>,
  used: ReadonlySet<string>,
): ReadonlyMap<string, string> =>
  new Map(Object.entries(tied).filter(([copy, of]) => names.includes(copy) && !used.has(copy) && used.has(of)))

/**
 * Compares a file's header with a model, before any tensor is read.
 * @param specs   the model's parameters by flat name: `flatten(gptParams(config), isParamSpec)`
 * @param header  dtypes and shapes by the file's names: `decodeSafetensors` gives it to its `choose`
 * @param where   the file's name, for errors
 * @returns       the names of the tensors that the model takes, and of copies of them; what the table ignores is not among them
 * @throws BadData  every tensor that is missing, left over, of another dtype or of another shape, in one error
 */
export const checkCheckpoint = (
  table: RenameTable,
  specs: Readonly<Record<string, ParamSpec>>,
  header: Header,
  where: string,
): ReadonlyArray<string> => {
  const expected: Array<string> = []
  const received: Array<string> = []
  const wrong = (wanted: string, found: string): void => {
    expected.push(wanted)
    received.push(found)
  }
  const used = new Set<string>()
  for (const [ours, spec] of Object.entries(specs)) {
    const found = findRename(table, ours)
    if (found === null) {
      wrong(`a name for ${ours}`, `none in the table "${table.name}"`)
      continue
    }
    const { theirs, rename } = found
    for (const name of theirs) used.add(name)
    const parts = theirs.map((name) => (Object.hasOwn(header, name) ? header[name]! : null))
    const lost = theirs.filter((_, i) => parts[i]?.dtype !== "float32")
    if (lost.length > 0) {
      for (const name of lost) {
        const there = Object.hasOwn(header, name) ? header[name]! : null
        wrong(`${name}: float32`, there === null ? `${name}: missing` : `${name}: ${show(there)}`)
      }
      continue
    }
    const wanted = `${theirs.join(", ")}: [${spec.shape.join(", ")}] as ${ours}`
    try {
      const shape = joinedShape(
        parts.map((part) => part!.shape),
        rename,
        table.sizes,
      )
      if (shape.join() !== spec.shape.join()) wrong(wanted, `[${shape.join(", ")}]`)
    } catch (error) {
      if (!(error instanceof BadData)) throw error
      wrong(wanted, error.received)
    }
  }
  const copies = copiesIn(table, Object.keys(header), used)
  for (const [copy, of] of copies) {
    if (!Object.hasOwn(header, of) || show(header[copy]!) === show(header[of]!)) continue
    wrong(`${copy}: ${show(header[of]!)} as ${of}`, `${copy}: ${show(header[copy]!)}`)
  }
  for (const name of Object.keys(header)) {
    if (
      copies.has(name) ||
      used.has(name) ||
      (table.ignored ?? []).some((pattern) => matchName(pattern, name) !== null)
    )
      continue
    wrong(`nothing named ${name}`, `${name}: ${show(header[name]!)}`)
  }
  if (expected.length > 0) {
    throw new BadData({
      where,
      expected: expected.join("\n"),
      received: received.join("\n"),
      fix: `check that the file is a ${table.name} of this config`,
    })
  }
  return [...used, ...copies.keys()]
}

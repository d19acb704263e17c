/** A safetensors file of an artifact, compared with what it is to hold before a tensor is read. */
import type { Effect } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { lines } from "../graph/lines.js"
import { layoutOf } from "../safetensors/encode.js"
import { BIG_ENDIAN } from "../safetensors/format.js"
import { checkBytes, type Entry, elementsIn, headerLength, readHeader } from "../safetensors/header.js"
import { problemsIn } from "../safetensors/problems.js"
import type { DType, HostTensor, HostTensors } from "../tensor.js"
import type { NamedBytes } from "./namedFiles.js"

/** Types of tensors by name. A letter is a size that the file decides: the same everywhere in the file. */
export type ExpectedTensors = Readonly<
  Record<string, { readonly dtype: DType; readonly shape: ReadonlyArray<number | string> }>
>

export interface ReadTensors {
  readonly tensors: HostTensors
  /** What the file's letters stand for. */
  readonly sizes: Readonly<Record<string, number>>
}

type Found = Readonly<Record<string, { readonly dtype: string; readonly shape: ReadonlyArray<number> }>>

const show = ({ dtype, shape }: { readonly dtype: string; readonly shape: ReadonlyArray<number | string> }): string =>
  `${dtype}[${shape.join(", ")}]`

/** The sizes of letters in a header. @throws BadData  every tensor that is missing, left over or of another type */
const compare = (expected: ExpectedTensors, found: Found, where: string): ReadTensors["sizes"] => {
  const sizes = new Map<string, number>()
  const [wanted, received]: [Array<string>, Array<string>] = [[], []]
  const wrong = (want: string, got: string): void => {
    wanted.push(want)
    received.push(got)
  }
  for (const [name, want] of Object.entries(expected)) {
    if (!Object.hasOwn(found, name)) {
      wrong(`${name}: ${show(want)}`, `${name}: missing`)
      continue
    }
    const got = found[name]!
    const fits =
      got.dtype === want.dtype &&
      got.shape.length === want.shape.length &&
      want.shape.every((axis, i) => {
        if (typeof axis === "number") return axis === got.shape[i]
        const known = sizes.get(axis)
        if (known === undefined) sizes.set(axis, got.shape[i]!)
        return known === undefined || known === got.shape[i]
      })
    if (!fits) {
      const shape = want.shape.map((axis) => (typeof axis === "number" ? axis : (sizes.get(axis) ?? axis)))
      wrong(`${name}: ${show({ dtype: want.dtype, shape })}`, `${name}: ${show(got)}`)
    }
  }
  for (const [name, got] of Object.entries(found)) {
    if (!Object.hasOwn(expected, name)) wrong(`no ${name}`, `${name}: ${show(got)}`)
  }
  if (wanted.length > 0) {
    const fix = "give the file that belongs to the config"
    throw new BadData({ where, expected: lines(wanted), received: lines(received), fix })
  }
  return Object.fromEntries(sizes)
}

/** The elements of a tensor: the file's own memory where it lies as elements must, else a copy. */
const elementsAt = (entry: Entry, bytes: Uint8Array): HostTensor["data"] => {
  const { dtype, width } = entry.reader
  if (BIG_ENDIAN || bytes.byteOffset % width !== 0) return elementsIn(entry, new Uint8Array(bytes))
  const { buffer, byteOffset, byteLength } = bytes
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, byteLength / 4)
  return dtype === "int32" ? new Int32Array(buffer, byteOffset, byteLength / 4) : bytes
}

/** Whether all are finite: a product with 0 is 0 for those alone. */
const allFinite = (data: HostTensor["data"]): boolean => {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0
  return sum === 0
}

const read = (
  { where, bytes }: NamedBytes,
  expected: ExpectedTensors | ((count: number) => ExpectedTensors),
): ReadTensors => {
  const start = 8 + headerLength(bytes, bytes.length, where)
  let sizes: ReadTensors["sizes"] = {}
  const { entries, metadata } = readHeader(bytes.subarray(8, start), bytes.length - start, where, (found) => {
    const names = Object.keys(found)
    sizes = compare(typeof expected === "function" ? expected(names.length) : expected, found, where)
    return names
  })
  const specs = Object.fromEntries(entries.map(({ name, shape, reader }) => [name, { dtype: reader.dtype, shape }]))
  if (Buffer.compare(layoutOf(specs).head, bytes.subarray(0, start)) !== 0) {
    throw new BadData({
      where,
      expected: "a header as Millrace writes it: sorted, without metadata, types F32, I32 and BOOL",
      received: Object.keys(metadata).length > 0 ? "metadata" : "another text for the same tensors",
      fix: "give the file as it was written; weights of other programs are read with the models' loaders",
    })
  }
  const problems = problemsIn(where)
  const tensors = entries.map((entry) => {
    const { name, shape, reader, begin, end } = entry
    const part = bytes.subarray(start + begin, start + end)
    checkBytes(entry, part, problems)
    const data = elementsAt(entry, part)
    if (reader.dtype === "float32" && !allFinite(data)) problems.add("finite numbers", "others among them", { name })
    return [name, { dtype: reader.dtype, shape, data }] as const
  })
  problems.raise()
  return { tensors: Object.fromEntries(tensors), sizes }
}

/**
 * The tensors of a file that `encodeSafetensors` wrote. No data is copied where the bytes begin at a multiple of 4 of their
 * buffer: the tensors are views of them.
 * @param expected  what the file is to hold, by how many tensors its header names if that is asked for
 * @fails BadData   every tensor that is missing, left over, of another type or not finite; a file that is written differently
 */
export const readTensors = (
  file: NamedBytes,
  expected: ExpectedTensors | ((count: number) => ExpectedTensors),
): Effect.Effect<ReadTensors, BadData> => attempt(BadData, () => read(file, expected))

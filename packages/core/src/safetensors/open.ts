import { type FileHandle, open } from "node:fs/promises"
import { Effect, type Scope } from "effect"
import { BadData } from "../errors.js"
import type { TensorSource } from "../tensorSource.js"
import type { Metadata } from "./format.js"
import { checkBytes, type Entry, elementsIn, headerLength, readHeader } from "./header.js"
import { problemsIn } from "./problems.js"

/** A file of named tensors, open: its tensors are read where they are needed. */
export interface TensorFile extends TensorSource<BadData> {
  readonly metadata: Metadata
}

/** Errors of the system, as what they mean for who reads the file. */
const attempt = <A>(where: string, work: () => Promise<A>): Effect.Effect<A, BadData> =>
  Effect.tryPromise({
    try: work,
    catch: (cause) =>
      cause instanceof BadData
        ? cause
        : new BadData({
            where,
            expected: "a file that can be read to its end",
            received: cause instanceof Error ? cause.message : String(cause),
            fix: "see that the file is there, whole, and that nothing writes to it",
            cause,
          }),
  })

/** The bytes of a file from a place on. */
const readAt = async (file: FileHandle, into: Uint8Array<ArrayBuffer>, position: number): Promise<typeof into> => {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`)
    done += bytesRead
  }
  return into
}

const sourceOf = async (file: FileHandle, where: string): Promise<TensorFile> => {
  const { size } = await file.stat()
  const first = await readAt(file, new Uint8Array(Math.min(8, size)), 0)
  const length = headerLength(first, size, where)
  const start = 8 + length
  const { entries, metadata } = readHeader(await readAt(file, new Uint8Array(length), 8), size - start, where)
  const byName = new Map<string, Entry>(entries.map((entry) => [entry.name, entry]))
  return {
    metadata,
    specs: Object.fromEntries(entries.map(({ name, shape, reader: { dtype } }) => [name, { dtype, shape }])),
    piece: (name, begin, end) =>
      attempt(where, async () => {
        const entry = byName.get(name)!
        const { width } = entry.reader
        const bytes = await readAt(file, new Uint8Array((end - begin) * width), start + entry.begin + begin * width)
        const problems = problemsIn(where)
        checkBytes(entry, bytes, problems)
        problems.raise()
        return elementsIn(entry, bytes)
      }),
  }
}

/**
 * Opens a file of named tensors without reading them: for weights that go to an engine, which then are nowhere else. The
 * types are those of `decodeSafetensors`. Open as long as the scope.
 * @fails BadData  no file; not one well-formed file; a piece that is not what the header says
 */
export const openSafetensors = (path: string): Effect.Effect<TensorFile, BadData, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      attempt(path, () => open(path)),
      (file) => Effect.promise(() => file.close()),
    ),
    (file) => attempt(path, () => sourceOf(file, path)),
  )

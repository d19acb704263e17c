/** Takes some files out of a wheel, each in a stream: a library of a gigabyte needs no memory to speak of. */
import { type FileHandle, open } from "node:fs/promises"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream"
import { crc32, createInflateRaw } from "node:zlib"
import { BadData, Disk, type DiskFailed, type DiskOperations, diskFailed } from "@millrace/core"
import { Effect } from "effect"
import { staysWithin } from "./staysWithin.js"
import { waited } from "./waited.js"
import { dataOf, readAt, type WheelEntry, wheelEntries, wheelRefusal } from "./wheelEntries.js"

/** A file that was taken out: its path in the folder, and its size. */
export interface Unpacked {
  readonly path: string
  readonly bytes: number
}

type Pieces = AsyncIterable<Uint8Array>

const pieceBytes = 2 ** 20

const storedPieces = async function* (file: FileHandle, where: string, start: number, length: number): Pieces {
  for (let done = 0; done < length; done += pieceBytes) {
    yield await readAt(file, where, start + done, Math.min(pieceBytes, length - done))
  }
}

/** What was stored as it was before it was packed. */
const inflated = async function* (stored: Pieces, where: string, { method }: WheelEntry): Pieces {
  if (method === 0) return yield* stored
  if (method !== 8) throw wheelRefusal(where, `a method of packing, ${method}`)
  const inflate = createInflateRaw({ chunkSize: pieceBytes })
  // Who reads gets its errors, also those from before it reads.
  inflate.on("error", () => undefined)
  pipeline(stored, inflate, () => undefined)
  yield* inflate
}

/** The same pieces, whose sum and size are those that the wheel says; they end early with the signal. */
const checked = async function* (pieces: Pieces, where: string, entry: WheelEntry, signal: AbortSignal): Pieces {
  let [sum, bytes] = [0, 0]
  for await (const piece of pieces) {
    signal.throwIfAborted()
    sum = crc32(piece, sum)
    bytes += piece.length
    if (bytes > entry.bytes) break
    yield piece
  }
  if (sum !== entry.crc || bytes !== entry.bytes) throw wheelRefusal(where, `${entry.name}, which is damaged`)
}

const unpack = async (
  disk: DiskOperations,
  wheel: string,
  into: string,
  wanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<ReadonlyArray<Unpacked>> => {
  const file = await open(wheel)
  try {
    const entries = (await wheelEntries(file, wheel)).filter(({ name }) => wanted(name))
    for (const entry of entries) {
      if (!staysWithin(entry.name)) throw wheelRefusal(wheel, `a file called ${entry.name}`)
      const path = join(into, entry.name)
      const stored = storedPieces(file, wheel, await dataOf(file, wheel, entry), entry.storedBytes)
      await disk.makeFolder(dirname(path))
      await disk.writeFrom(
        path,
        checked(inflated(stored, wheel, entry), wheel, entry, signal),
        entry.executable ? 0o755 : 0o644,
      )
    }
    return entries.map(({ name, bytes }) => ({ path: name, bytes }))
  } finally {
    await file.close()
  }
}

/** zlib's own errors begin so: what it inflates is damaged. */
const isDamage = (error: unknown): boolean => error instanceof Error && /^Z_|^ERR_ZLIB/.test(codeOf(error))
const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "")

/**
 * Files of a wheel, in a folder under the paths that they have there.
 * @param wanted  which of them
 * @fails BadData     it is not a wheel, or damaged
 * @fails DiskFailed  no space, no permission
 */
export const unpackWheel = (
  wheel: string,
  into: string,
  wanted: (name: string) => boolean,
): Effect.Effect<ReadonlyArray<Unpacked>, BadData | DiskFailed> =>
  Effect.flatMap(Disk, (disk) =>
    waited((signal) => unpack(disk, wheel, into, wanted, signal)).pipe(
      Effect.mapError((error) => {
        if (error instanceof BadData) return error
        if (isDamage(error)) return wheelRefusal(wheel, "a file that is damaged")
        return diskFailed(into, "a folder that a wheel can be unpacked into", error)
      }),
    ),
  )

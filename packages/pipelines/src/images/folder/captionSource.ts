/** Where a folder's captions are: one file captions.jsonl, or a text file beside each image. */
import { lstat, opendir } from "node:fs/promises"
import { join } from "node:path"
import type { BadData } from "@millrace/core"
import { Effect } from "effect"
import { type CaptionLine, captionLine, textOf } from "./captionLine.js"
import { LONGEST_LINE, linesOf } from "./lines.js"
import { pieceOf, plainFile, refused } from "./plainFile.js"

/** What leads back to one caption. */
export interface Place {
  readonly offset: number
  readonly length: number
}

export interface Found extends Place {
  /** For errors: the line or the file. */
  readonly where: string
  readonly line: Effect.Effect<CaptionLine, BadData>
}

export interface CaptionSource {
  /** Every caption once, in an order that the folder's content alone decides. */
  readonly all: () => AsyncIterable<Found>
  readonly at: (place: Place) => Effect.Effect<CaptionLine, BadData>
}

const LIST = "captions.jsonl"

const fromList = (root: string): CaptionSource => {
  const file = join(root, LIST)
  return {
    all: async function* () {
      if (!(await lstat(file)).isFile()) throw refused(LIST, "a plain file", "a link, folder or device")
      for await (const { bytes, offset, number } of linesOf(file)) {
        const where = `${LIST}:${number}`
        if (bytes.every((byte) => byte === 32 || byte === 9 || byte === 13)) continue
        const tooLong = Effect.fail(refused(where, `a line of at most ${LONGEST_LINE} bytes`, "a longer one"))
        const line = bytes.length > LONGEST_LINE ? tooLong : captionLine(bytes, where)
        yield { where, offset, length: bytes.length, line }
      }
    },
    at: ({ offset, length }) => {
      const where = `${LIST}, byte ${offset}`
      return Effect.flatMap(pieceOf(root, LIST, offset, length), (bytes) => captionLine(bytes, where))
    },
  }
}

const IMAGE = /\.(?:png|jpe?g)$/i

/** Names are kept, since a folder has no order to find the n-th of them again by. */
const fromTexts = (root: string): CaptionSource => {
  const names: Array<string> = []
  const captions = (name: string): Effect.Effect<CaptionLine, BadData> => {
    const text = name.replace(IMAGE, ".txt")
    return plainFile(root, text, LONGEST_LINE).pipe(
      Effect.flatMap((bytes) => textOf(bytes, text)),
      Effect.flatMap((content) => {
        const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "")
        return lines.length === 0
          ? Effect.fail(refused(text, "a caption a line", "none"))
          : Effect.succeed({ file: name, captions: lines })
      }),
    )
  }
  return {
    all: async function* () {
      for await (const entry of await opendir(root)) if (IMAGE.test(entry.name)) names.push(entry.name)
      names.sort()
      for (const [offset, where] of names.entries()) yield { where, offset, length: 0, line: captions(where) }
    },
    at: ({ offset }) => captions(names[offset]!),
  }
}

export const captionSource = (root: string): Effect.Effect<CaptionSource> =>
  Effect.promise(() =>
    lstat(join(root, LIST)).then(
      () => fromList(root),
      () => fromTexts(root),
    ),
  )

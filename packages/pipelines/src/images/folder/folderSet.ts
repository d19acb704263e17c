/** One set of a folder's images: looked at once, read again by index. */
import { createHash } from "node:crypto"
import { attempt, BadData, sha256 } from "@millrace/core"
import { Effect } from "effect"
import type { ImageSet } from "../../artifacts/captionedImages.js"
import { checkImage, decodeImage } from "../decodeImage.js"
import type { ImageLimits } from "../limits.js"
import { recent } from "../recent.js"
import { squareOf } from "../squareOf.js"
import type { CaptionLine } from "./captionLine.js"
import type { CaptionSource, Place } from "./captionSource.js"
import { Columns } from "./columns.js"
import { plainFile, refused } from "./plainFile.js"

export interface FolderOptions {
  /** The folder, without symbolic links. */
  readonly root: string
  readonly size: number
  readonly background: readonly [red: number, green: number, blue: number]
  /** Whether every image is decoded when it is first looked at, or its structure alone checked. */
  readonly check: "structure" | "pixels"
  readonly limits: ImageLimits
}

/** Squares are kept up to this many bytes, whatever the number of images. */
const KEPT = 64e6

/** A file and its captions as 64 bits, to know them again. */
const printOf = (line: CaptionLine, content: string): bigint =>
  BigInt(`0x${sha256(JSON.stringify([line, content])).slice(0, 16)}`)

export const folderSet = (captions: CaptionSource, { root, size, background, check, limits }: FolderOptions) => {
  const places = new Columns()
  const classes = new Set<string>()
  const digest = createHash("sha256")
  return {
    /** Takes an image in. Fails, and takes nothing, where the image is bad. */
    add: (place: Place, line: CaptionLine): Effect.Effect<void, BadData> =>
      Effect.gen(function* () {
        const bytes = yield* plainFile(root, line.file, limits.bytes)
        yield* attempt(BadData, () => (check === "pixels" ? decodeImage : checkImage)(bytes, line.file, limits))
        const content = sha256(bytes)
        places.push(place.offset, place.length, printOf(line, content))
        if (line.class !== undefined) classes.add(line.class)
        digest.update(`${JSON.stringify([line, content])}\n`)
      }),
    /** The set, after everything has been added. */
    done: (): ImageSet => {
      const names = [...classes].sort()
      const numbers = new Map(names.map((name, i) => [name, i]))
      const squares = recent(KEPT)
      return {
        count: places.count,
        classes: names,
        digest: digest.digest("hex"),
        read: (indices) =>
          Effect.forEach(indices, (i) =>
            Effect.gen(function* () {
              const place = places.at(i)
              const line = yield* captions.at(place)
              const pixels = yield* squares.get(i, () =>
                Effect.gen(function* () {
                  const bytes = yield* plainFile(root, line.file, limits.bytes)
                  if (printOf(line, sha256(bytes)) !== place.print) {
                    return yield* refused(line.file, "the image and captions that the run began with", "others")
                  }
                  return squareOf(
                    yield* attempt(BadData, () => decodeImage(bytes, line.file, limits)),
                    size,
                    background,
                  )
                }),
              )
              const number = line.class === undefined ? undefined : numbers.get(line.class)
              const { file: name, captions: texts } = line
              return { name, pixels, captions: texts, ...(number === undefined ? {} : { class: number }) }
            }),
          ),
      }
    },
  }
}

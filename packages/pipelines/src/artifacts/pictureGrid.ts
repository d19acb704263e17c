/** Images side by side in one PNG, and back. */
import { attempt, BadData, type NamedBytes } from "@millrace/core"
import type { Effect } from "effect"
import { encode } from "fast-png"
import { decodeImage } from "../images/decodeImage.js"

/** A row of images after the other; a row may have fewer than the longest, which black fills up. Each y x c, 8 bits. */
export type PictureRows = ReadonlyArray<ReadonlyArray<Uint8Array>>

/** Whether rows of so many images have any: without one there is no picture. */
export const hasPicture = (counts: ReadonlyArray<number>): boolean => counts.some((count) => count > 0)

const sidesOf = (counts: ReadonlyArray<number>, size: number) => ({
  width: counts.reduce((most, count) => Math.max(most, count), 0) * size,
  height: counts.length * size,
})

/** The lines of an image: where each begins in the picture, in pixels. */
const linesOf = (row: number, column: number, size: number, width: number): ReadonlyArray<number> =>
  Array.from({ length: size }, (_, y) => (row * size + y) * width + column * size)

/** @param size  rows and columns of each image */
export const writePicture = (rows: PictureRows, size: number): Uint8Array => {
  const { width, height } = sidesOf(
    rows.map((row) => row.length),
    size,
  )
  const data = new Uint8Array(width * height * 3)
  for (const [row, images] of rows.entries()) {
    for (const [column, pixels] of images.entries()) {
      for (const [y, at] of linesOf(row, column, size, width).entries()) {
        data.set(pixels.subarray(y * size * 3, (y + 1) * size * 3), at * 3)
      }
    }
  }
  return encode({ width, height, data, channels: 3 })
}

const read = ({ where, bytes }: NamedBytes, counts: ReadonlyArray<number>, size: number): PictureRows => {
  const { width, height } = sidesOf(counts, size)
  const refuse = (expected: string, received: string): never => {
    throw new BadData({ where, expected, received, fix: "give the files of one artifact, as they were written" })
  }
  const picture = decodeImage(bytes, where, { pixels: width * height, bytes: bytes.length })
  if (picture.width !== width || picture.height !== height) {
    refuse(`${height} × ${width} pixels: ${counts.length} rows of images`, `${picture.height} × ${picture.width}`)
  }
  const { rgba } = picture
  const widest = width / size
  return counts.map((count, row) =>
    Array.from({ length: widest }, (_, column) => {
      const pixels = new Uint8Array(size * size * 3)
      for (const [y, at] of linesOf(row, column, size, width).entries()) {
        for (let x = 0; x < size; x++) {
          for (let c = 0; c < 3; c++) pixels[(y * size + x) * 3 + c] = rgba[(at + x) * 4 + c]!
          if (rgba[(at + x) * 4 + 3] !== 255) refuse("no transparency", `some in row ${row}`)
        }
      }
      if (column >= count && pixels.some((value) => value !== 0)) {
        refuse(`${count} images in row ${row}, and black after them`, "more")
      }
      return pixels
    }).slice(0, count),
  )
}

/**
 * The images of a picture.
 * @param counts    of each row
 * @fails BadData   no such PNG, or one of other sides
 */
export const readPicture = (
  file: NamedBytes,
  counts: ReadonlyArray<number>,
  size: number,
): Effect.Effect<PictureRows, BadData> => attempt(BadData, () => read(file, counts, size))

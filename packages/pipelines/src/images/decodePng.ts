/**
 * PNG of every colour type, depth and interlacing, as 8-bit RGBA. Inflated by Node's zlib, which stops at the length that
 * the header asks for; so a bomb costs no more than an honest image of its stated size.
 * Source   PNG specification, third edition, sections 7 to 10.
 */
import { inflateSync } from "node:zlib"
import type { Bitmap } from "./bitmap.js"
import { type PngHeader, pngHeader } from "./pngHeader.js"
import type { Allow, Refuse } from "./refuse.js"

/** Where the pixels of each pass lie. */
const PASSES = [
  { y: 0, x: 0, rows: 8, columns: 8 },
  { y: 0, x: 4, rows: 8, columns: 8 },
  { y: 4, x: 0, rows: 8, columns: 4 },
  { y: 0, x: 2, rows: 4, columns: 4 },
  { y: 2, x: 0, rows: 4, columns: 2 },
  { y: 0, x: 1, rows: 2, columns: 2 },
  { y: 1, x: 0, rows: 2, columns: 1 },
]

const passesOf = ({ height, width, depth, samples, interlaced }: PngHeader) =>
  (interlaced ? PASSES : [{ y: 0, x: 0, rows: 1, columns: 1 }])
    .map((pass) => {
      const columns = Math.ceil((width - pass.x) / pass.columns)
      return {
        ...pass,
        height: Math.ceil((height - pass.y) / pass.rows),
        width: columns,
        bytes: Math.ceil((columns * samples * depth) / 8),
      }
    })
    .filter((pass) => pass.height > 0 && pass.width > 0)

const paeth = (left: number, up: number, corner: number): number => {
  const a = Math.abs(up - corner)
  const b = Math.abs(left - corner)
  const c = Math.abs(left + up - 2 * corner)
  return a <= b && a <= c ? left : b <= c ? up : corner
}

/** What each filter takes off a byte, by the bytes to its left, above it, and above the left one. */
const FILTERS: ReadonlyArray<(left: number, up: number, corner: number) => number> = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
]

/** Undoes the filter of one line in place. `above` is the line before it, without its filter; zeros for the first. */
const unfilter = (filter: number, line: Uint8Array, above: Uint8Array, step: number, refuse: Refuse): void => {
  const guess = FILTERS[filter] ?? refuse("a filter from 0 to 4", `${filter}`)
  if (filter === 0) return
  for (let i = 0; i < Math.min(step, line.length); i++) line[i] = (line[i]! + guess(0, above[i]!, 0)) & 0xff
  for (let i = step; i < line.length; i++) {
    line[i] = (line[i]! + guess(line[i - step]!, above[i]!, above[i - step]!)) & 0xff
  }
}

/** Writes one pixel, given its samples, as RGBA. */
const painter = ({ colour, depth, palette, transparency }: PngHeader, refuse: Refuse) => {
  const most = 2 ** depth - 1
  const eight = (sample: number): number => Math.round((sample * 255) / most)
  const keyed = (i: number): number => (transparency![i * 2]! << 8) | transparency![i * 2 + 1]!
  return (samples: Uint16Array, rgba: Uint8Array, at: number): void => {
    if (colour === "palette") {
      const index = samples[0]!
      if (index * 3 >= palette!.length) refuse(`a colour of the palette's ${palette!.length / 3}`, `number ${index}`)
      for (let c = 0; c < 3; c++) rgba[at + c] = palette![index * 3 + c]!
      rgba[at + 3] = transparency?.[index] ?? 255
      return
    }
    const grey = colour === "grey" || colour === "grey-alpha"
    for (let c = 0; c < 3; c++) rgba[at + c] = eight(samples[grey ? 0 : c]!)
    if (colour === "grey-alpha" || colour === "rgba") rgba[at + 3] = eight(samples[grey ? 1 : 3]!)
    else if (transparency === undefined) rgba[at + 3] = 255
    else
      rgba[at + 3] = samples[0] === keyed(0) && (grey || (samples[1] === keyed(1) && samples[2] === keyed(2))) ? 0 : 255
  }
}

const inflate = (parts: ReadonlyArray<Uint8Array>, length: number, refuse: Refuse): Uint8Array => {
  const compressed = Buffer.concat(parts)
  let raw: Uint8Array
  try {
    raw = inflateSync(compressed, { maxOutputLength: length })
  } catch (error) {
    return refuse(`a zlib stream of ${length} bytes`, error instanceof Error ? error.message : String(error))
  }
  return raw.length === length ? raw : refuse(`${length} bytes of image data`, `${raw.length}`)
}

export const decodePng = (bytes: Uint8Array, refuse: Refuse, allow: Allow): Bitmap => {
  const header = pngHeader(bytes, refuse, allow)
  const { height, width, depth, samples } = header
  const passes = passesOf(header)
  const raw = inflate(
    header.data,
    passes.reduce((sum, pass) => sum + pass.height * (pass.bytes + 1), 0),
    refuse,
  )
  const rgba = new Uint8Array(height * width * 4)
  const paint = painter(header, refuse)
  const pixel = new Uint16Array(samples)
  const step = Math.max(1, (samples * depth) / 8)
  let at = 0
  for (const pass of passes) {
    let above: Uint8Array = new Uint8Array(pass.bytes)
    for (let row = 0; row < pass.height; row++) {
      const line = raw.subarray(at + 1, at + 1 + pass.bytes)
      unfilter(raw[at]!, line, above, step, refuse)
      above = line
      at += 1 + pass.bytes
      if (header.colour === "rgba" && depth === 8 && !header.interlaced) {
        rgba.set(line, row * width * 4)
        continue
      }
      for (let column = 0; column < pass.width; column++) {
        for (let s = 0; s < samples; s++) {
          const i = column * samples + s
          pixel[s] =
            depth === 16
              ? (line[i * 2]! << 8) | line[i * 2 + 1]!
              : (line[(i * depth) >> 3]! >> (8 - depth - ((i * depth) & 7))) & (2 ** depth - 1)
        }
        const [y, x] = [pass.y + row * pass.rows, pass.x + column * pass.columns]
        paint(pixel, rgba, (y * width + x) * 4)
      }
    }
  }
  return { height, width, rgba }
}

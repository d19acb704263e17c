/** PNG files made by loops from a function of place, with every choice that the format has, and the pixels they hold. */
import { crc32, deflateSync } from "node:zlib"

export const chunk = (type: string, content: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(content.length, 0)
  body.copy(whole, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}

export const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export interface PngChoices {
  readonly height: number
  readonly width: number
  readonly depth: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey with opacity, 6 RGBA. */
  readonly type: 0 | 2 | 3 | 4 | 6
  readonly interlaced?: boolean
  /** The filter of line `i`, counted through all passes. */
  readonly filter?: (i: number) => number
  readonly palette?: Uint8Array
  readonly transparency?: Uint8Array
  /** Sample s of a pixel, in 0 … 2^depth - 1. */
  readonly sample: (y: number, x: number, s: number) => number
}

export const samplesOf = (type: PngChoices["type"]): number => ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 })[type]

export const header = (height: number, width: number, depth: number, type: number, interlaced = false): Buffer => {
  const content = Buffer.alloc(13)
  content.writeUInt32BE(width, 0)
  content.writeUInt32BE(height, 4)
  content.set([depth, type, 0, 0, interlaced ? 1 : 0], 8)
  return chunk("IHDR", content)
}

const packed = (values: ReadonlyArray<number>, depth: number): Uint8Array => {
  const bits = values.map((value) => value.toString(2).padStart(depth, "0")).join("")
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
    Number.parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, "0"), 2),
  )
}

/** The line after a filter, straight from the specification's table. */
const filtered = (filter: number, line: Uint8Array, above: Uint8Array, step: number): Uint8Array =>
  line.map((byte, i) => {
    const [a, b, c] = [line[i - step] ?? 0, above[i] ?? 0, i < step ? 0 : (above[i - step] ?? 0)]
    const p = a + b - c
    const nearest = [a, b, c].reduce((best, value) => (Math.abs(p - value) < Math.abs(p - best) ? value : best))
    return byte - [0, a, b, Math.floor((a + b) / 2), nearest][filter]!
  })

/** Rows of each Adam7 pass: which pixels of which row. */
const passes = (height: number, width: number): ReadonlyArray<ReadonlyArray<readonly [y: number, xs: number[]]>> => {
  const grid = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
  return Array.from({ length: 7 }, (_, pass) =>
    Array.from({ length: height }, (_, y) => {
      const xs = Array.from({ length: width }, (_, x) => x).filter((x) => grid[y % 8]![x % 8] === `${pass + 1}`)
      return [y, xs] as const
    }).filter(([, xs]) => xs.length > 0),
  )
}

export const scanlines = (choices: PngChoices): Buffer => {
  const { height, width, depth, type, interlaced = false, filter = () => 0, sample } = choices
  const samples = samplesOf(type)
  const step = Math.max(1, (samples * depth) / 8)
  const all = Array.from({ length: width }, (_, x) => x)
  const groups = interlaced ? passes(height, width) : [Array.from({ length: height }, (_, y) => [y, all] as const)]
  const lines: Array<Uint8Array> = []
  let count = 0
  for (const group of groups) {
    let above: Uint8Array = new Uint8Array(0)
    for (const [y, xs] of group) {
      const line = packed(
        xs.flatMap((x) => Array.from({ length: samples }, (_, s) => sample(y, x, s))),
        depth,
      )
      const kind = filter(count++)
      lines.push(Uint8Array.of(kind), filtered(kind, line, above, step))
      above = line
    }
  }
  return Buffer.concat(lines)
}

export const encodePng = (choices: PngChoices): Buffer => {
  const { height, width, depth, type, interlaced, palette, transparency } = choices
  return Buffer.concat([
    SIGNATURE,
    header(height, width, depth, type, interlaced),
    ...(palette === undefined ? [] : [chunk("PLTE", palette)]),
    ...(transparency === undefined ? [] : [chunk("tRNS", transparency)]),
    chunk("IDAT", deflateSync(scanlines(choices))),
    chunk("IEND", Buffer.alloc(0)),
  ])
}

/** A plain RGB file of one colour, or of a function of place. */
export const rgbPng = (
  height: number,
  width: number,
  colour: (y: number, x: number) => readonly [number, number, number],
): Buffer => encodePng({ height, width, depth: 8, type: 2, sample: (y, x, s) => colour(y, x)[s]! })

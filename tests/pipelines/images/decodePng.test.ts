import { deflateSync } from "node:zlib"
import { BadData } from "@millrace/core"
import { decodeImage } from "@millrace/pipelines"
import { decode } from "fast-png"
import { describe, expect, test } from "vitest"
import { chunk, encodePng, header, type PngChoices, rgbPng, SIGNATURE, samplesOf, scanlines } from "./png.js"

const palette = Uint8Array.from({ length: 48 }, (_, i) => (i * 37) % 256)
const opacities = Uint8Array.from([0, 255, 7, 128])

/** The pixels by the specification's words, from the function that the file was made of. */
const truth = ({ height, width, depth, type, palette, transparency, sample }: PngChoices): Uint8Array => {
  const most = 2 ** depth - 1
  const eight = (value: number) => Math.round((value / most) * 255)
  const key = (i: number) => transparency![2 * i]! * 256 + transparency![2 * i + 1]!
  const pixel = (y: number, x: number): ReadonlyArray<number> => {
    const [a, b, c, d] = Array.from({ length: samplesOf(type) }, (_, s) => sample(y, x, s)) as [number, ...number[]]
    if (type === 3) return [...palette!.subarray(a * 3, a * 3 + 3), transparency?.[a] ?? 255]
    if (type === 0) return [eight(a), eight(a), eight(a), transparency !== undefined && key(0) === a ? 0 : 255]
    if (type === 4) return [eight(a), eight(a), eight(a), eight(b!)]
    if (type === 6) return [eight(a), eight(b!), eight(c!), eight(d!)]
    const clear = transparency !== undefined && key(0) === a && key(1) === b && key(2) === c
    return [eight(a), eight(b!), eight(c!), clear ? 0 : 255]
  }
  return Uint8Array.from(
    Array.from({ length: height * width }, (_, i) => pixel(Math.floor(i / width), i % width)).flat(),
  )
}

const kinds = [
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
] as const

const sizes = [
  [1, 1],
  [3, 5],
  [8, 8],
  [13, 19],
] as const

const all: ReadonlyArray<PngChoices> = kinds.flatMap(([type, depths]) =>
  depths.flatMap((depth) =>
    sizes.flatMap(([height, width]) =>
      [false, true].map((interlaced) => {
        const limit = type === 3 ? Math.min(16, 2 ** depth) : 2 ** depth
        return {
          height,
          width,
          depth,
          type,
          interlaced,
          filter: (i: number) => i % 5,
          sample: (y: number, x: number, s: number) =>
            ((y * 7919 + x * 104729 + s * 1299709 + y * x * 31) >> 2) % limit,
          ...(type === 3 ? { palette, transparency: opacities.subarray(0, Math.min(4, limit)) } : {}),
        }
      }),
    ),
  ),
)

const told = (file: Uint8Array): BadData => {
  try {
    decodeImage(file, "a.png")
  } catch (error) {
    if (error instanceof BadData) return error
    throw error
  }
  throw new Error("it was taken")
}

const plain: PngChoices = { height: 4, width: 6, depth: 8, type: 2, sample: (y, x, s) => y * 40 + x * 8 + s }
const body = chunk("IDAT", deflateSync(scanlines(plain)))
const end = chunk("IEND", Buffer.alloc(0))
const start = Buffer.concat([SIGNATURE, header(4, 6, 8, 2)])

describe("a PNG", () => {
  test("of every colour type, depth, size and interlacing has the pixels that it was made of, by all filters", () => {
    for (const choices of all) {
      const { height, width, rgba } = decodeImage(encodePng(choices), "a.png")
      expect([height, width]).toEqual([choices.height, choices.width])
      expect([choices.type, choices.depth, choices.interlaced, ...rgba]).toEqual([
        choices.type,
        choices.depth,
        choices.interlaced,
        ...truth(choices),
      ])
    }
    expect(all.length).toBe(15 * 4 * 2)
  })

  test("has the pixels that another decoder finds, where samples have 8 bits", () => {
    for (const choices of all.filter(({ depth, type }) => depth === 8 && type !== 3)) {
      const other = decode(encodePng(choices))
      const { rgba } = decodeImage(encodePng(choices), "a.png")
      const grey = other.channels < 3
      const pixels = Array.from({ length: choices.height * choices.width }, (_, i) => {
        const at = (c: number) => other.data[i * other.channels + c]!
        const opacity = other.channels % 2 === 0 ? at(other.channels - 1) : 255
        return grey ? [at(0), at(0), at(0), opacity] : [at(0), at(1), at(2), opacity]
      })
      expect([...rgba]).toEqual(pixels.flat())
    }
  })

  test("of grey or RGB is transparent where it has the one colour that its header names, and nowhere else", () => {
    const grey: PngChoices = {
      height: 2,
      width: 8,
      depth: 16,
      type: 0,
      transparency: Uint8Array.of(1, 3),
      sample: (y, x) => 256 + x + y,
    }
    expect([...decodeImage(encodePng(grey), "a.png").rgba]).toEqual([...truth(grey)])
    const colour: PngChoices = { ...plain, transparency: Uint8Array.of(0, 48, 0, 49, 0, 50) }
    expect([...decodeImage(encodePng(colour), "a.png").rgba]).toEqual([...truth(colour)])
    expect([...truth(colour)].filter((_, i) => i % 4 === 3 && truth(colour)[i] === 0).length).toBe(1)
  })

  test("is read from its content whatever its name says, through chunks that may be ignored and past its end", () => {
    const bomb = chunk("zTXt", Buffer.concat([Buffer.from("a\0\0"), deflateSync(Buffer.alloc(1 << 22))]))
    const file = Buffer.concat([start, chunk("iCCP", Buffer.from("no profile")), bomb, body, end, Buffer.from("tail")])
    expect([...decodeImage(file, "photo.jpg").rgba]).toEqual([...truth(plain)])
  })

  test("may have its compressed stream in many parts, empty ones among them", () => {
    const stream = deflateSync(scanlines(plain))
    const parts = [stream.subarray(0, 3), Buffer.alloc(0), stream.subarray(3, 4), stream.subarray(4)]
    const file = Buffer.concat([start, ...parts.map((part) => chunk("IDAT", part)), end])
    expect([...decodeImage(file, "a.png").rgba]).toEqual([...truth(plain)])
  })

  test("with more pixels than allowed is refused by its header, before anything of their size is made", () => {
    for (const [height, width] of [
      [4001, 4000],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [1, 16_000_001],
    ] as const) {
      const before = process.memoryUsage().arrayBuffers
      const error = told(Buffer.concat([SIGNATURE, header(height, width, 8, 2), body, end]))
      expect(error.expected).toBe("at most 16 million pixels")
      expect(error.received).toBe(`${height} × ${width}`)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6)
    }
  })

  test("that inflates to more than its header says is stopped there", () => {
    const bomb = deflateSync(Buffer.alloc(200e6), { level: 9 })
    const before = process.memoryUsage().arrayBuffers
    const error = told(Buffer.concat([start, chunk("IDAT", bomb), end]))
    expect(error.expected).toBe("a zlib stream of 76 bytes")
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6)
  })

  test("that inflates to less than its header says is refused", () => {
    const short = deflateSync(scanlines(plain).subarray(0, 75))
    expect(told(Buffer.concat([start, chunk("IDAT", short), end])).received).toBe("75")
  })

  const wrong: ReadonlyArray<readonly [what: string, file: Buffer, expected: RegExp]> = [
    ["cut off in a chunk", Buffer.concat([start, body]).subarray(0, -9), /a chunk "IDAT"/],
    ["without its end", Buffer.concat([start, body]), /chunks up to IEND/],
    ["with a wrong checksum of its header", Buffer.concat([start.subarray(0, -1), Buffer.of(0), body, end]), /IHDR/],
    ["with a chunk longer than the file", Buffer.concat([start, Buffer.of(255, 255, 255, 255), body, end]), /a chunk/],
    ["without data", Buffer.concat([start, end]), /image data/],
    ["with data before its header", Buffer.concat([SIGNATURE, body, end]), /IHDR first/],
    ["with two headers", Buffer.concat([start, header(4, 6, 8, 2), body, end]), /IHDR first, and once/],
    ["with a chunk that must not be ignored", Buffer.concat([start, chunk("ABCD", body), body, end]), /to be needed/],
    ["of no width", Buffer.concat([SIGNATURE, header(4, 0, 8, 2), body, end]), /a height and width/],
    ["of a colour type that there is not", Buffer.concat([SIGNATURE, header(4, 6, 8, 5), body, end]), /colour type/],
    ["of a depth that its type has not", Buffer.concat([SIGNATURE, header(4, 6, 4, 2), body, end]), /colour type/],
    ["with a palette of half a colour", Buffer.concat([start, chunk("PLTE", Buffer.alloc(4)), body, end]), /palette/],
    ["in palette colours without one", Buffer.concat([SIGNATURE, header(4, 6, 8, 3), body, end]), /a palette/],
    [
      "with a transparency of another type",
      Buffer.concat([start, chunk("tRNS", Buffer.alloc(2)), body, end]),
      /fits rgb/,
    ],
    ["with a filter that there is not", encodePng({ ...plain, filter: () => 0, sample: () => 0 }), /a filter/],
    [
      "with a colour beyond its palette",
      encodePng({ ...plain, type: 3, palette, sample: () => 16 }),
      /the palette's 16/,
    ],
    ["that is empty", Buffer.alloc(0), /a PNG or JPEG/],
    ["that is text", Buffer.from("GIF89a and so on"), /a PNG or JPEG/],
  ]
  test.each(wrong)("%s is refused with what is wrong", (what, file, expected) => {
    const bytes = what.includes("filter") ? withFilter(7) : file
    const error = told(bytes)
    expect(error.where).toBe("a.png")
    expect(error.expected).toMatch(expected)
  })

  test("larger in bytes than allowed is refused", () => {
    const file = rgbPng(40, 40, (y, x) => [y, x, (y * x) % 256])
    expect(() => decodeImage(file, "a.png", { pixels: 1600, bytes: file.length })).not.toThrow()
    expect(() => decodeImage(file, "a.png", { pixels: 1600, bytes: file.length - 1 })).toThrow("at most")
    expect(() => decodeImage(file, "a.png", { pixels: 1599, bytes: file.length })).toThrow("million pixels")
  })
})

const withFilter = (filter: number): Buffer => {
  const lines = scanlines(plain)
  lines[0] = filter
  return Buffer.concat([start, chunk("IDAT", deflateSync(lines)), end])
}

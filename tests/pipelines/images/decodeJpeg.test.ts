import { readFileSync } from "node:fs"
import { BadData } from "@millrace/core"
import { type Bitmap, decodeImage } from "@millrace/pipelines"
import { encode } from "jpeg-js"
import { describe, expect, test } from "vitest"

const file = (name: string): Buffer => readFileSync(new URL(`../../fixtures/images/${name}.jpg`, import.meta.url))
const [HEIGHT, WIDTH] = [22, 37]
/** What the files were made of. */
const colour = (y: number, x: number): readonly [number, number, number] => [
  40 + 5 * x,
  30 + 9 * y,
  220 - 3 * x - 4 * y,
]
const grey = (y: number, x: number): readonly [number, number, number] => {
  const [r, g, b] = colour(y, x)
  const luma = 0.299 * r + 0.587 * g + 0.114 * b
  return [luma, luma, luma]
}

/** The largest and the mean difference. */
const differences = ({ rgba, width }: Bitmap, truth: typeof colour): readonly [most: number, mean: number] => {
  const found = Array.from({ length: rgba.length / 4 }, (_, i) =>
    truth(Math.floor(i / width), i % width).map((value, c) => Math.abs(value - rgba[i * 4 + c]!)),
  ).flat()
  return [Math.max(...found), found.reduce((sum, value) => sum + value, 0) / found.length]
}

const told = (bytes: Uint8Array, limits?: { pixels: number; bytes: number }): BadData => {
  try {
    decodeImage(bytes, "a.jpg", limits)
  } catch (error) {
    if (error instanceof BadData) return error
    throw error
  }
  throw new Error("it was taken")
}

/** Where the segments of a file begin, by marker. */
const segments = (bytes: Buffer): ReadonlyArray<readonly [marker: number, from: number, to: number]> => {
  const found: Array<readonly [number, number, number]> = []
  for (let at = 2; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) {
    found.push([bytes[at + 1]!, at, at + 2 + bytes.readUInt16BE(at + 2)])
  }
  return found
}

const segment = (marker: number, content: Uint8Array): Buffer => {
  const whole = Buffer.alloc(content.length + 4)
  whole.set([0xff, marker])
  whole.writeUInt16BE(content.length + 2, 2)
  whole.set(content, 4)
  return whole
}

const withSegment = (bytes: Buffer, added: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, 2), added, bytes.subarray(2)])

const exif = (orientation: number, little: boolean): Buffer => {
  const tiff = Buffer.alloc(26)
  const short = (value: number, at: number) => (little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at))
  const long = (value: number, at: number) => (little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at))
  tiff.write(little ? "II" : "MM", 0, "latin1")
  short(42, 2)
  long(8, 4)
  short(1, 8)
  short(0x0112, 10)
  short(3, 12)
  long(1, 14)
  short(orientation, 18)
  return segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]))
}

/** A file with one byte of its frame header changed, or also the one of the next component. */
const framed = (name: string, at: number, value: number, next?: number): Buffer => {
  const bytes = Buffer.from(file(name))
  const [, from] = segments(bytes).find(([marker]) => marker === 0xc0)!
  bytes[from + 4 + at] = value
  if (next !== undefined) bytes[from + 7 + at] = next
  return bytes
}

describe("a JPEG", () => {
  test.each([
    ["colour-444", colour, 4, 1],
    ["colour-422", colour, 8, 2],
    ["colour-420", colour, 12, 4],
    ["progressive", colour, 12, 4],
    ["restarts", colour, 4, 1],
    ["rgb", colour, 2, 0.5],
    ["grey", grey, 3, 1],
  ] as const)("%s.jpg shows the picture that it was made of", (name, truth, most, mean) => {
    const bitmap = decodeImage(file(name), "a.jpg")
    expect([bitmap.height, bitmap.width]).toEqual([HEIGHT, WIDTH])
    const found = differences(bitmap, truth)
    expect(found[0]).toBeLessThan(most)
    expect(found[1]).toBeLessThan(mean)
  })

  test("has the same pixels in progressive scans, and with restarts, as in one scan", () => {
    const pixels = (name: string) => [...decodeImage(file(name), "a.jpg").rgba]
    expect(pixels("progressive")).toEqual(pixels("colour-420"))
    expect(pixels("restarts")).toEqual(pixels("colour-444"))
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("of orientation %i is turned upright", (orientation) => {
    // A file's row and column are where the camera put them; these are the places of the upright picture that they show.
    const upright = (row: number, column: number): readonly [y: number, x: number] =>
      (
        [
          [row, column],
          [row, WIDTH - 1 - column],
          [HEIGHT - 1 - row, WIDTH - 1 - column],
          [HEIGHT - 1 - row, column],
          [column, row],
          [column, HEIGHT - 1 - row],
          [WIDTH - 1 - column, HEIGHT - 1 - row],
          [WIDTH - 1 - column, row],
        ] as const
      )[orientation - 1]!
    const stored = decodeImage(file("colour-444"), "a.jpg")
    for (const little of [true, false]) {
      const seen = decodeImage(withSegment(file("colour-444"), exif(orientation, little)), "a.jpg")
      expect([seen.height, seen.width]).toEqual(orientation < 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT])
      for (let row = 0; row < HEIGHT; row++) {
        for (let column = 0; column < WIDTH; column++) {
          const [y, x] = upright(row, column)
          const [to, from] = [(y * seen.width + x) * 4, (row * WIDTH + column) * 4]
          expect(seen.rgba[to]).toBe(stored.rgba[from])
          expect(seen.rgba[to + 1]).toBe(stored.rgba[from + 1])
        }
      }
    }
  })

  test("with an orientation that there is not, or Exif that is none, is left as it is", () => {
    const stored = [...decodeImage(file("grey"), "a.jpg").rgba]
    const odd = [
      exif(9, true),
      exif(0, false),
      segment(0xe1, Buffer.from("Exif\0\0II")),
      segment(0xe1, Buffer.alloc(0)),
    ]
    for (const added of odd) expect([...decodeImage(withSegment(file("grey"), added), "a.jpg").rgba]).toEqual(stored)
  })

  test("is read from its content whatever its name says, past comments, profiles and its end", () => {
    const added = Buffer.concat([segment(0xfe, Buffer.alloc(60_000, 65)), segment(0xe2, Buffer.from("ICC_PROFILE"))])
    const bytes = Buffer.concat([withSegment(file("grey"), added), file("colour-444")])
    expect([...decodeImage(bytes, "a.png").rgba]).toEqual([...decodeImage(file("grey"), "a.jpg").rgba])
  })

  test("for print is refused by name, as are 12 bits, arithmetic codes and lossless ones", () => {
    expect(told(file("cmyk")).received).toBe("four components, as for print (CMYK)")
    expect(told(framed("grey", 0, 12)).expected).toBe("8 bits a sample")
    for (const marker of [0xc3, 0xc5, 0xc9, 0xcb]) {
      const bytes = Buffer.from(file("grey"))
      bytes[segments(bytes).find(([kind]) => kind === 0xc0)![1] + 1] = marker
      expect(told(bytes).received).toBe(`SOF${marker - 0xc0}`)
    }
  })

  test("cut off anywhere is refused", () => {
    for (const name of ["colour-420", "progressive", "grey"]) {
      const bytes = file(name)
      for (let length = 3; length < bytes.length; length += 7) told(bytes.subarray(0, length))
    }
  })

  test("whose compressed data ends early is refused, though the file has its end", () => {
    const bytes = file("colour-444")
    const cut = Buffer.concat([bytes.subarray(0, bytes.length - 200), Buffer.of(0xff, 0xd9)])
    expect(told(cut).expected).toBe("a JPEG that can be decoded")
  })

  test("that says to be larger than its data can be is refused before anything of that size is made", () => {
    const before = process.memoryUsage()
    const tall = Buffer.from(file("colour-444"))
    const [, from] = segments(tall).find(([marker]) => marker === 0xc0)!
    tall.writeUInt16BE(4000, from + 5)
    tall.writeUInt16BE(4000, from + 7)
    expect(told(tall).expected).toBe("4000 × 4000 pixels' worth of data")
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(10e6)
  })

  test("with more pixels than allowed is refused by its header", () => {
    expect(told(file("grey"), { pixels: HEIGHT * WIDTH - 1, bytes: 1e6 }).received).toBe(`${HEIGHT} × ${WIDTH}`)
    expect(told(file("grey"), { pixels: 1e6, bytes: file("grey").length - 1 }).expected).toMatch(/^at most .* MB$/)
    expect(decodeImage(file("grey"), "a.jpg", { pixels: HEIGHT * WIDTH, bytes: 1e6 }).width).toBe(WIDTH)
  })

  test("with a thousand scans is refused, with ten it is not", () => {
    const bytes = file("progressive")
    const at = bytes.indexOf(Buffer.of(0xff, 0xda))
    const scan = bytes.subarray(at, bytes.indexOf(Buffer.of(0xff, 0xc4), at))
    const many = (times: number) =>
      Buffer.concat([bytes.subarray(0, at), ...Array<Buffer>(times).fill(scan), bytes.subarray(at)])
    expect(told(many(1000)).expected).toBe("at most 64 scans")
    expect(decodeImage(many(0), "a.jpg").height).toBe(HEIGHT)
  })

  const wrong: ReadonlyArray<readonly [what: string, bytes: () => Buffer, expected: RegExp]> = [
    ["of no height", () => Buffer.from(framed("grey", 2, 0)), /at least 1/],
    ["of two components", () => framed("colour-444", 5, 2), /1 or 3 components/],
    ["with a frame header of another length", () => framed("colour-444", 5, 1), /a frame header for 1/],
    ["with a sampling of 0", () => framed("colour-444", 7, 0x01), /samplings/],
    ["with a sampling of 5", () => framed("colour-444", 7, 0x51), /samplings/],
    ["with samplings of 3 and 2", () => framed("colour-444", 7, 0x31, 0x21), /samplings/],
    ["with two frames", () => twoFrames(), /one frame/],
    ["without a frame", () => Buffer.of(0xff, 0xd8, 0xff, 0xd9), /a frame and a scan/],
    ["with a scan before its frame", () => Buffer.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9), /before its scans/],
    [
      "with bytes between its segments",
      () => withSegment(file("grey"), Buffer.of(0xff, 0xfe, 0, 2, 1, 2, 3)),
      /a marker/,
    ],
  ]
  test.each(wrong)("%s is refused with what is wrong", (_, bytes, expected) => {
    expect(told(bytes()).expected).toMatch(expected)
  })

  test("of 4 million pixels is decoded within the decoder's own count of memory", () => {
    const data = Buffer.alloc(2000 * 2000 * 4, 200)
    const { height, rgba } = decodeImage(encode({ height: 2000, width: 2000, data }, 90).data, "a.jpg")
    expect([height, rgba.length]).toEqual([2000, data.length])
  })
})

const twoFrames = (): Buffer => {
  const bytes = file("grey")
  const [, from, to] = segments(bytes).find(([marker]) => marker === 0xc0)!
  return withSegment(bytes, bytes.subarray(from, to))
}

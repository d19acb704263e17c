/** Damaged files: every outcome is an image or the one error, in bounded time. MILLRACE_LONG tries a hundred times as many. */
import { readdirSync, readFileSync } from "node:fs"
import { crc32 } from "node:zlib"
import { BadData, keyFromSeed, random, split } from "@millrace/core"
import { checkImage, decodeImage } from "@millrace/pipelines"
import { expect, test } from "vitest"
import { encodePng } from "./png.js"

const folder = new URL("../../fixtures/images/", import.meta.url)
const jpegs = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)))
const sample = (y: number, x: number, s: number) => (y * 31 + x * 17 + s * 7 + ((x * y) >> 1)) % 2
const pngs = ([0, 2, 3, 4, 6] as const).flatMap((type) =>
  [false, true].map((interlaced) =>
    encodePng({
      height: 17,
      width: 23,
      depth: type === 3 ? 4 : 8,
      type,
      interlaced,
      sample,
      filter: (i) => i % 5,
      ...(type === 3 ? { palette: Uint8Array.of(1, 2, 3, 4, 5, 6) } : {}),
    }),
  ),
)

/** Checksums as they should be, so that damage reaches what lies behind them. */
const mended = (bytes: Buffer): Buffer => {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    if (length > bytes.length - at - 12) break
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, at + 8 + length)), at + 8 + length)
    at += 12 + length
  }
  return bytes
}

const interesting = [0, 1, 2, 4, 8, 16, 32, 64, 127, 128, 192, 217, 218, 254, 255]

/** One to four changes: bytes set, a piece cut out, doubled, or the end cut off. */
const damaged = (original: Buffer, draws: Float32Array): Buffer => {
  let bytes = Buffer.from(original)
  let at = 0
  const draw = (n: number) => Math.floor(draws[at++]! * n)
  for (let changes = 1 + draw(4); changes > 0; changes--) {
    const kind = draw(8)
    const place = draw(bytes.length)
    const length = 1 + draw(12)
    if (kind < 3) bytes[place] = interesting[draw(interesting.length)]!
    else if (kind < 5) bytes[place] = draw(256)
    else if (kind === 5) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + length)])
    else if (kind === 6) bytes = Buffer.concat([bytes.subarray(0, place + length), bytes.subarray(place)])
    else if (draws[at]! < 0.3) bytes = bytes.subarray(0, place)
  }
  return bytes
}

const outcome = (work: () => unknown): "image" | "refused" => {
  try {
    work()
    return "image"
  } catch (error) {
    if (error instanceof BadData) return "refused"
    throw error
  }
}

const rounds = process.env.MILLRACE_LONG === undefined ? 560 : 56_000

test("a damaged PNG or JPEG is an image of its header's size, or refused", { timeout: 1_800_000 }, () => {
  const counts = { image: 0, refused: 0 }
  for (const [i, original] of [...pngs, ...jpegs].entries()) {
    for (let round = 0; round < rounds; round++) {
      const draws = random.uniform(split(split(keyFromSeed(5), i), round), [24]).data as Float32Array
      const bytes = damaged(original, draws)
      if (i < pngs.length && round % 2 === 0) mended(bytes)
      const limits = { pixels: 100_000, bytes: 10_000 }
      const found = outcome(() => {
        const { height, width, rgba } = decodeImage(bytes, "a", limits)
        expect(rgba.length).toBe(height * width * 4)
        expect(height * width).toBeLessThanOrEqual(100_000)
      })
      counts[found]++
      // What can be decoded has passed the check of its structure.
      if (found === "image") expect(outcome(() => checkImage(bytes, "a", limits))).toBe("image")
    }
  }
  expect(counts.image).toBeGreaterThan(rounds)
  expect(counts.refused).toBeGreaterThan(rounds * 5)
})

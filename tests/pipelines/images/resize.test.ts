import { areaMean, type Bitmap, over, squareOf } from "@millrace/pipelines"
import fc from "fast-check"
import { describe, expect, test } from "vitest"

const image = (height: number, width: number, value: (i: number) => number) => ({
  values: Uint8Array.from({ length: height * width * 3 }, (_, i) => value(i)),
  height,
  width,
  channels: 3,
})

const side = fc.integer({ min: 1, max: 14 })
const cases = fc.record({
  height: side,
  width: side,
  rows: side,
  columns: side,
  seed: fc.integer({ min: 1, max: 1e6 }),
})
const whole = ({ height, width }: { height: number; width: number }) => ({ top: 0, left: 0, height, width })
const noise = (seed: number) => (i: number) => Math.imul(i + seed, 2654435761) >>> 24

/** Each pixel of the result as an integral over the box: every source pixel, weighted by the area that they share. */
const plain = (source: ReturnType<typeof image>, box: ReturnType<typeof whole>, rows: number, columns: number) => {
  const { values, height, width, channels } = source
  const shared = (from: number, to: number, i: number) => Math.max(0, Math.min(to, i + 1) - Math.max(from, i))
  const result: Array<number> = []
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        let area = 0
        for (let v = 0; v < height; v++) {
          for (let u = 0; u < width; u++) {
            const [top, left] = [box.top + (y * box.height) / rows, box.left + (x * box.width) / columns]
            const part = shared(top, top + box.height / rows, v) * shared(left, left + box.width / columns, u)
            sum += part * values[(v * width + u) * channels + c]!
            area += part
          }
        }
        result.push(sum / area)
      }
    }
  }
  return result
}

describe("areaMean", () => {
  test("gives each pixel the mean of what it covers, as loops over all pixels find it", () => {
    fc.assert(
      fc.property(
        cases,
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        ({ height, width, rows, columns, seed }, part) => {
          const source = image(height, width, noise(seed))
          const box = { top: part * height, left: part * width * 0.7, height: height / 2, width: width / 2 }
          for (const of of [whole(source), box]) {
            const expected = plain(source, of, rows, columns)
            const found = areaMean(source, of, [rows, columns])
            for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-6)
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  test("keeps a constant, the mean of all pixels, and what lies between the smallest and the largest", () => {
    fc.assert(
      fc.property(cases, ({ height, width, rows, columns, seed }) => {
        const constant = areaMean(
          image(height, width, () => 77),
          whole({ height, width }),
          [rows, columns],
        )
        for (const value of constant) expect(value).toBeCloseTo(77, 9)
        const source = image(height, width, noise(seed))
        const found = areaMean(source, whole(source), [rows, columns])
        const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length
        expect(mean(found)).toBeCloseTo(mean(source.values), 8)
        expect(Math.min(...found)).toBeGreaterThanOrEqual(Math.min(...source.values) - 1e-9)
        expect(Math.max(...found)).toBeLessThanOrEqual(Math.max(...source.values) + 1e-9)
      }),
    )
  })

  test("of a box changes nothing at the box's own size", () => {
    const source = image(9, 7, noise(3))
    const part = areaMean(source, { top: 2, left: 1, height: 5, width: 4 }, [5, 4])
    const rows = Array.from({ length: 5 }, (_, y) => [
      ...source.values.subarray(((y + 2) * 7 + 1) * 3, ((y + 2) * 7 + 5) * 3),
    ])
    expect([...part].map((value) => Math.round(value * 1e9) / 1e9)).toEqual(rows.flat())
  })

  test("does not alias: stripes thinner than a pixel become their mean", () => {
    const source = image(64, 64, (i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 200))
    for (const value of areaMean(source, whole(source), [16, 16])) expect(value).toBeCloseTo(100, 9)
  })
})

describe("squareOf", () => {
  const bitmap = (height: number, width: number, pixel: (y: number, x: number) => ReadonlyArray<number>): Bitmap => ({
    height,
    width,
    rgba: Uint8Array.from(
      Array.from({ length: height * width }, (_, i) => pixel(Math.floor(i / width), i % width)).flat(),
    ),
  })

  test("takes the middle of the longer side", () => {
    const wide = bitmap(4, 10, (_, x) => [x >= 3 && x < 7 ? 255 : 0, 0, 0, 255])
    expect([...squareOf(wide, 2, [0, 0, 0])]).toEqual([255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0])
    const tall = bitmap(5, 2, (y) => [y === 0 || y === 4 ? 0 : 200, 0, 0, 255])
    expect([...squareOf(tall, 2, [0, 0, 0])].filter((_, i) => i % 3 === 0)).toEqual([200, 200, 200, 200])
  })

  test("shows the background through transparency, and nothing of the colour that lies beneath it", () => {
    const clear = bitmap(2, 2, () => [10, 20, 30, 0])
    expect([...over(clear, [1, 2, 3])]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])
    const half = bitmap(2, 2, (y) => (y === 0 ? [200, 100, 0, 255] : [99, 99, 99, 0]))
    expect([...squareOf(half, 1, [0, 0, 200])]).toEqual([100, 50, 100])
  })
})

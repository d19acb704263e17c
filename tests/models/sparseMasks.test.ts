import { BadConfig } from "@millrace/core"
import { type SparseGrid, type SparsePattern, seenDistances, sparseMask } from "@millrace/models"
import { describe, expect, test } from "vitest"

type Mask = ReadonlyArray<ReadonlyArray<boolean>>

const imagePart = (pattern: SparsePattern, grid: SparseGrid): Mask =>
  sparseMask(pattern, grid)
    .slice(grid.text)
    .map((row) => row.slice(grid.text))
const keysOf = (row: ReadonlyArray<boolean>): ReadonlyArray<number> => row.flatMap((seen, s) => (seen ? [s] : []))

// What every grid obeys stands in tests/laws/sparseMaskLaws.ts.

test("a row layer shows 5 tokens of a 4 × 4 image and 33 of a 32 × 32 one", () => {
  for (const [w, seen] of [
    [4, 5],
    [32, 33],
  ] as const) {
    expect(seenDistances({ kind: "row" }, { text: 1, rows: w, columns: w })).toHaveLength(seen)
  }
})

describe("the convolutional pattern", () => {
  test("at a side goes on in the neighbouring row", () => {
    const image = imagePart({ kind: "convolution", kernel: 3 }, { text: 0, rows: 4, columns: 4 })
    // (2, 0) sees itself, what stands before it in raster order, and around (1, 0): (0, 3), (1, 0) and (1, 1).
    expect(keysOf(image[8]!)).toEqual([3, 4, 5, 7, 8])
    // (2, 3) sees around (1, 3): (1, 2), (1, 3) and (2, 0).
    expect(keysOf(image[11]!)).toEqual([6, 7, 8, 10, 11])
  })

  test("shows 61 tokens at 11 × 11 where there is room", () => {
    const image = imagePart({ kind: "convolution", kernel: 11 }, { text: 0, rows: 32, columns: 32 })
    expect(Math.max(...image.map((row) => keysOf(row).length))).toBe(61)
    expect(keysOf(image.at(-1)!)).toHaveLength(61)
  })

  test("with a kernel of 1 shows a token itself alone", () => {
    const image = imagePart({ kind: "convolution", kernel: 1 }, { text: 2, rows: 3, columns: 4 })
    expect(image.map(keysOf)).toEqual(image.map((_, i) => [i]))
  })

  test.each([0, 2, 10, 2.5])("of a kernel without a middle is refused: %d", (kernel) => {
    expect(() => seenDistances({ kind: "convolution", kernel }, { text: 1, rows: 2, columns: 2 })).toThrow(BadConfig)
  })
})

import { BadConfig } from "@millrace/core"
import { type SparseGrid, type SparsePattern, seenDistances, sparseMask } from "@millrace/models"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { grids, patterns } from "./reference/sparse.js"

type Mask = ReadonlyArray<ReadonlyArray<boolean>>

const cases = fc.record({ grid: grids(7, 7), pattern: patterns })
const forAll = (statement: (mask: Mask, grid: SparseGrid, pattern: SparsePattern) => void): void =>
  fc.assert(
    fc.property(cases, ({ grid, pattern }) => statement(sparseMask(pattern, grid), grid, pattern)),
    { numRuns: 60 },
  )

/** The places of an image, in raster order. */
const places = ({ rows, columns }: SparseGrid): ReadonlyArray<readonly [y: number, x: number]> =>
  Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const)

const imagePart = (mask: Mask, { text }: SparseGrid): Mask => mask.slice(text).map((row) => row.slice(text))
const keysOf = (row: ReadonlyArray<boolean>): ReadonlyArray<number> => row.flatMap((seen, s) => (seen ? [s] : []))
const compose = (first: Mask, second: Mask): Mask =>
  first.map((row) => {
    const reached = row.map(() => false)
    for (const via of keysOf(row)) for (const s of keysOf(second[via]!)) reached[s] = true
    return reached
  })

describe("every pattern", () => {
  test("is causal, and every position sees itself", () => {
    forAll((mask) => {
      for (const [t, row] of mask.entries()) {
        expect(row[t]).toBe(true)
        expect(row.slice(t + 1)).not.toContain(true)
      }
    })
  })

  test("shows all of the text to every image token, and no image token to the text", () => {
    forAll((mask, { text }) => {
      for (const row of mask.slice(text)) expect(row.slice(0, text)).not.toContain(false)
      for (const row of mask.slice(0, text)) expect(row.slice(text)).not.toContain(true)
    })
  })

  test("shows all earlier text to the text", () => {
    forAll((mask, { text }) => {
      for (let t = 0; t < text; t++) expect(keysOf(mask[t]!)).toHaveLength(t + 1)
    })
  })
})

describe("the row pattern", () => {
  test("shows min(i, w) + 1 tokens to image token i, the farthest in the same column of the row above", () => {
    forAll((_, grid) => {
      const image = imagePart(sparseMask({ kind: "row" }, grid), grid)
      for (const [i, row] of image.entries()) {
        expect(keysOf(row)).toHaveLength(Math.min(i, grid.columns) + 1)
        if (i >= grid.columns) expect(keysOf(row)[0]).toBe(i - grid.columns)
      }
    })
  })

  test("shows 5 tokens of a 4 × 4 image and 33 of a 32 × 32 one", () => {
    for (const [w, seen] of [
      [4, 5],
      [32, 33],
    ] as const) {
      expect(seenDistances({ kind: "row" }, { text: 1, rows: w, columns: w })).toHaveLength(seen)
    }
  })
})

describe("the column pattern", () => {
  test("shows a token of its own column and not below it, and nothing else", () => {
    forAll((_, grid) => {
      const at = places(grid)
      const image = imagePart(sparseMask({ kind: "column" }, grid), grid)
      expect(image).toEqual(at.map(([y, x]) => at.map(([v, u]) => u === x && v <= y)))
    })
  })

  test("with the image transposed is a causal mask for each column alone", () => {
    forAll((_, grid) => {
      const { rows, columns } = grid
      const image = imagePart(sparseMask({ kind: "column" }, grid), grid)
      const turned = places({ ...grid, rows: columns, columns: rows }).map(([x, y]) => y * columns + x)
      const mask = turned.map((i) => turned.map((j) => image[i]![j]!))
      const sameRun = (i: number, j: number): boolean => Math.floor(i / rows) === Math.floor(j / rows)
      expect(mask).toEqual(turned.map((_, i) => turned.map((_, j) => sameRun(i, j) && j <= i)))
    })
  })

  test("then the row pattern reaches every earlier image token in two hops, and so does row then column", () => {
    forAll((_, grid) => {
      const [row, column] = [sparseMask({ kind: "row" }, grid), sparseMask({ kind: "column" }, grid)].map((mask) =>
        imagePart(mask, grid),
      ) as [Mask, Mask]
      const causal = row.map((_, i) => row.map((_, j) => j <= i))
      expect(compose(row, column)).toEqual(causal)
      expect(compose(column, row)).toEqual(causal)
    })
  })
})

describe("the convolutional pattern", () => {
  test("away from the sides is the part of the kernel that comes earlier", () => {
    const [r, w] = [2, 9]
    const grid = { text: 0, rows: w, columns: w }
    const image = imagePart(sparseMask({ kind: "convolution", kernel: 2 * r + 1 }, grid), grid)
    for (const [i, [y, x]] of places(grid).entries()) {
      if (x < r || x >= w - r) continue
      const inKernel = places(grid).map(([v, u], j) => Math.abs(y - v) <= r && Math.abs(x - u) <= r && j <= i)
      expect(image[i]).toEqual(inKernel)
    }
  })

  test("at a side goes on in the neighbouring row", () => {
    const image = imagePart(sparseMask({ kind: "convolution", kernel: 3 }, { text: 0, rows: 4, columns: 4 }), {
      text: 0,
      rows: 4,
      columns: 4,
    })
    // (2, 0) sees itself, what stands before it in raster order, and around (1, 0): (0, 3), (1, 0) and (1, 1).
    expect(keysOf(image[8]!)).toEqual([3, 4, 5, 7, 8])
    // (2, 3) sees around (1, 3): (1, 2), (1, 3) and (2, 0).
    expect(keysOf(image[11]!)).toEqual([6, 7, 8, 10, 11])
  })

  test("shows at most (k² + 1) / 2 tokens, which is 61 at 11 × 11, and that many where there is room", () => {
    forAll((_, grid) => {
      for (const kernel of [1, 3, 5, 11]) {
        const most = (kernel * kernel + 1) / 2
        for (const row of imagePart(sparseMask({ kind: "convolution", kernel }, grid), grid)) {
          expect(keysOf(row).length).toBeLessThanOrEqual(most)
        }
      }
    })
    const paper = { text: 0, rows: 32, columns: 32 }
    const image = imagePart(sparseMask({ kind: "convolution", kernel: 11 }, paper), paper)
    expect(Math.max(...image.map((row) => keysOf(row).length))).toBe(61)
    expect(keysOf(image.at(-1)!)).toHaveLength(61)
  })

  test("with a kernel of 1 shows a token itself alone", () => {
    forAll((_, grid) => {
      const image = imagePart(sparseMask({ kind: "convolution", kernel: 1 }, grid), grid)
      expect(image.map(keysOf)).toEqual(image.map((_, i) => [i]))
    })
  })

  test.each([0, 2, 10, 2.5])("of a kernel without a middle is refused: %d", (kernel) => {
    expect(() => seenDistances({ kind: "convolution", kernel }, { text: 1, rows: 2, columns: 2 })).toThrow(BadConfig)
  })
})

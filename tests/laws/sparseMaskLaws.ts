import type { SparseGrid, SparsePattern } from "@millrace/models"
import fc from "fast-check"
import { grids, patterns } from "../models/reference/sparse.js"
import { expectThat } from "./close.js"
import { type Law, law } from "./law.js"

/** A pattern and the sizes of text and image to true at `[t][s]` where position t sees position s. */
export type Mask = (pattern: SparsePattern, grid: SparseGrid) => ReadonlyArray<ReadonlyArray<boolean>>
type Rows = ReturnType<Mask>

const all = fc.record({ grid: grids(5, 6), pattern: patterns })
/** Larger than a window of 11 × 11 reaches, at times. */
const images = grids(2, 7)
const kernels = fc.constantFrom(1, 3, 5, 11)

const keysOf = (row: ReadonlyArray<boolean>): ReadonlyArray<number> => row.flatMap((seen, s) => (seen ? [s] : []))
const same = (a: Rows, b: Rows, what: () => string): void => expectThat(JSON.stringify(a) === JSON.stringify(b), what)

/** What is reached by a step of the first and then one of the second. */
const compose = (first: Rows, second: Rows): Rows =>
  first.map((row) => {
    const reached = row.map(() => false)
    for (const via of keysOf(row)) for (const s of keysOf(second[via]!)) reached[s] = true
    return reached
  })

/** What every mask of a sparse transformer obeys. */
export const sparseMaskLaws = (mask: Mask): ReadonlyArray<Law> => {
  const image = (pattern: SparsePattern, grid: SparseGrid): Rows =>
    mask(pattern, grid)
      .slice(grid.text)
      .map((row) => row.slice(grid.text))
  /** The places of an image in raster order. */
  const places = ({ rows, columns }: SparseGrid) =>
    Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const)

  return [
    law("no position sees a later one", all, ({ grid, pattern }) => {
      for (const [t, row] of mask(pattern, grid).entries()) {
        expectThat(!row.slice(t + 1).includes(true), () => `position ${t} sees ${keysOf(row).join(", ")}`)
      }
    }),
    law("every position sees itself", all, ({ grid, pattern }) => {
      for (const [t, row] of mask(pattern, grid).entries()) expectThat(row[t] === true, () => `position ${t} does not`)
    }),
    law("every image token sees all of the text", all, ({ grid, pattern }) => {
      for (const row of mask(pattern, grid).slice(grid.text)) {
        expectThat(!row.slice(0, grid.text).includes(false), () => keysOf(row).join(", "))
      }
    }),
    law("text sees all earlier text, and no image token", all, ({ grid, pattern }) => {
      for (const [t, row] of mask(pattern, grid).slice(0, grid.text).entries()) {
        expectThat(
          row.every((seen, s) => seen === s <= t),
          () => `position ${t} sees ${keysOf(row).join(", ")}`,
        )
      }
    }),
    law("in a row layer image token i sees the min(i, columns) tokens before it", images, (grid) => {
      for (const [i, row] of image({ kind: "row" }, grid).entries()) {
        const seen = Math.min(i, grid.columns) + 1
        expectThat(
          row.every((sees, j) => sees === (j <= i && j > i - seen)),
          () => `token ${i} sees ${keysOf(row).join(", ")}`,
        )
      }
    }),
    law("in a column layer an image token sees those above it in its column", images, (grid) => {
      const at = places(grid)
      const wanted = at.map(([y, x]) => at.map(([v, u]) => u === x && v <= y))
      same(image({ kind: "column" }, grid), wanted, () => "another column, or a token below")
    }),
    law("of the transposed image a column layer is a causal layer of each run of tokens", images, (grid) => {
      const { rows, columns } = grid
      const mask = image({ kind: "column" }, grid)
      const turned = places({ ...grid, rows: columns, columns: rows }).map(([x, y]) => y * columns + x)
      const runs = turned.map((_, i) => turned.map((_, j) => Math.floor(i / rows) === Math.floor(j / rows) && j <= i))
      const got = turned.map((i) => turned.map((j) => mask[i]![j]!))
      same(got, runs, () => "not causal in its runs")
    }),
    law(
      "away from the sides a convolutional layer shows the half of its kernel that comes earlier",
      fc.tuple(images, kernels),
      ([grid, kernel]) => {
        const r = (kernel - 1) / 2
        const at = places(grid)
        const seen = image({ kind: "convolution", kernel }, grid)
        for (const [i, [y, x]] of at.entries()) {
          if (x < r || x >= grid.columns - r) continue
          const half = at.map(([v, u], j) => j <= i && Math.abs(v - y) <= r && Math.abs(u - x) <= r)
          same([seen[i]!], [half], () => `(${y}, ${x}) sees ${keysOf(seen[i]!).join(", ")}`)
        }
      },
    ),
    law("a convolutional layer shows at most (k² + 1) / 2 tokens", fc.tuple(images, kernels), ([grid, kernel]) => {
      for (const row of image({ kind: "convolution", kernel }, grid)) {
        const count = keysOf(row).length
        expectThat(count <= (kernel ** 2 + 1) / 2, () => `${count} tokens of a kernel of ${kernel}`)
      }
    }),
    law(
      "a convolutional layer shows the same distances to all tokens that have them",
      fc.tuple(images, kernels),
      ([grid, kernel]) => {
        const seen = image({ kind: "convolution", kernel }, grid)
        const last = keysOf(seen.at(-1)!).map((j) => seen.length - 1 - j)
        for (const [i, row] of seen.entries()) {
          const here = keysOf(row).map((j) => i - j)
          const wanted = last.filter((distance) => distance <= i)
          expectThat(here.join() === wanted.join(), () => `token ${i}: ${here.join()}, the last ${last.join()}`)
        }
      },
    ),
    law("a row and a column layer, in either order, reach every earlier image token", images, (grid) => {
      const [row, column] = [image({ kind: "row" }, grid), image({ kind: "column" }, grid)]
      const causal = row.map((_, i) => row.map((_, j) => j <= i))
      same(compose(row, column), causal, () => "row then column does not")
      same(compose(column, row), causal, () => "column then row does not")
    }),
  ]
}

import { sparseMask } from "@millrace/models"
import { expect, test } from "vitest"
import { verify } from "./law.js"
import { imageMask, row } from "./mutants/sparseMask.js"
import { type Mask, sparseMaskLaws } from "./sparseMaskLaws.js"

verify("sparseMask", sparseMaskLaws(sparseMask))

test("rows, columns and kernels that end at the image's sides never reach the upper right, however many layers", () => {
  const grid = { text: 1, rows: 6, columns: 6 }
  const closure = (mask: Mask): ReadonlyArray<ReadonlyArray<boolean>> => {
    const kinds = [{ kind: "row" }, { kind: "column" }, { kind: "convolution", kernel: 3 }] as const
    const seen = kinds.map((pattern) =>
      mask(pattern, grid)
        .slice(1)
        .map((row) => row.slice(1)),
    )
    let reach = seen[0]!.map((row, i) => row.map((_, j) => seen.some((each) => each[i]![j])))
    for (let layer = 0; layer < 6; layer++) {
      reach = reach.map((row) => row.map((_, j) => row.some((via, v) => via && reach[v]![j])))
    }
    return reach
  }
  const axial: Mask = (pattern, sizes) =>
    imageMask((_, { columns: w }, i, j) => {
      if (j > i) return false
      if (pattern.kind === "row") return row(i, w) === row(j, w)
      if (pattern.kind === "column") return i % w === j % w
      // A kernel whose last tap is the token itself.
      return row(i, w) - row(j, w) <= 2 && (i % w) - (j % w) <= 2 && i % w >= j % w
    })(pattern, sizes)
  const below = Array.from({ length: 36 }, (_, i) => Array.from({ length: 36 }, (_, j) => j <= i))
  expect(closure(sparseMask)).toEqual(below)
  const quadrant = below.map((seen, i) => seen.map((each, j) => each && j % 6 <= i % 6))
  expect(closure(axial)).toEqual(quadrant)
})

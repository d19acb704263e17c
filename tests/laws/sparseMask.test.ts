import { sparseMask } from "@millrace/models"
import { expect, test } from "vitest"
import { verify } from "./law.js"
import { refuses } from "./refuses.js"
import { type Mask, sparseMaskLaws } from "./sparseMaskLaws.js"

verify("sparseMask", sparseMaskLaws(sparseMask))

/** A mask whose image tokens see each other as `sees` says, by their places in raster order. */
const imageMask =
  (sees: (...args: [...Parameters<Mask>, i: number, j: number]) => boolean): Mask =>
  (pattern, grid) =>
    sparseMask(pattern, grid).map((row, t) =>
      row.map((seen, s) => (t < grid.text || s < grid.text ? seen : sees(pattern, grid, t - grid.text, s - grid.text))),
    )
const changed =
  (kind: string, sees: (columns: number, i: number, j: number, r: number) => boolean): Mask =>
  (pattern, grid) =>
    pattern.kind === kind
      ? imageMask((_, { columns }, i, j) =>
          sees(columns, i, j, pattern.kind === "convolution" ? (pattern.kernel - 1) / 2 : 0),
        )(pattern, grid)
      : sparseMask(pattern, grid)
const row = (n: number, columns: number): number => Math.floor(n / columns)
const near = (w: number, i: number, j: number, r: number): boolean =>
  Math.abs(row(i, w) - row(j, w)) <= r && Math.abs((i % w) - (j % w)) <= r

refuses("a mask", sparseMaskLaws, [
  [
    "because it shows the token after, to be predicted",
    (pattern, grid) => sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen || s === t + 1)),
    "no position sees a later one",
  ],
  [
    "because it hides a token from itself",
    (pattern, grid) => sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && s !== t)),
    "every position sees itself",
  ],
  [
    "because it hides the first word from the image",
    (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && !(t >= grid.text && s === 0))),
    "every image token sees all of the text",
  ],
  [
    "because its text sees a window of two",
    (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && !(t < grid.text && s < t - 1))),
    "text sees all earlier text, and no image token",
  ],
  [
    "because its rows end one token early",
    changed("row", (w, i, j) => j <= i && j > i - w),
    "in a row layer image token i sees the min(i, columns) tokens before it",
  ],
  [
    "because its rows do not go on in the row above",
    changed("row", (w, i, j) => j <= i && row(i, w) === row(j, w)),
    "in a row layer image token i sees the min(i, columns) tokens before it",
  ],
  [
    "because its columns show what stands below",
    changed("column", (w, i, j) => i % w === j % w),
    "in a column layer an image token sees those above it in its column",
  ],
  [
    "because its columns are windows of the transposed image",
    (pattern, grid) => {
      const { rows, columns } = grid
      const turned = (n: number): number => (n % columns) * rows + Math.floor(n / columns)
      return changed("column", (_, i, j) => turned(j) <= turned(i) && turned(j) >= turned(i) - rows)(pattern, grid)
    },
    "of the transposed image a column layer is a causal layer of each run of tokens",
  ],
  [
    "because its columns show every other row",
    changed("column", (w, i, j) => j <= i && i % w === j % w && (row(i, w) - row(j, w)) % 2 === 0),
    "a row and a column layer, in either order, reach every earlier image token",
  ],
  [
    "because its kernel shows all of its rows",
    changed("convolution", (w, i, j, r) => near(w, i, j, r)),
    "a convolutional layer shows at most (k² + 1) / 2 tokens",
  ],
  [
    "because its kernel does not go on at the sides",
    changed("convolution", (w, i, j, r) => j <= i && near(w, i, j, r)),
    "a convolutional layer shows the same distances to all tokens that have them",
  ],
  [
    "because its kernel is too narrow",
    changed("convolution", (w, i, j, r) => j <= i && near(w, i, j, Math.max(0, r - 1))),
    "away from the sides a convolutional layer shows the half of its kernel that comes earlier",
  ],
])

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

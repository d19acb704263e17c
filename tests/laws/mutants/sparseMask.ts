import { sparseMask } from "@millrace/models"
import { type Mask, sparseMaskLaws } from "../sparseMaskLaws.js"
import { mutantSet } from "./mutantSet.js"

/** A mask whose image tokens see each other as `sees` says, by their places in raster order. */
export const imageMask =
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

export const row = (n: number, columns: number): number => Math.floor(n / columns)

const near = (w: number, i: number, j: number, r: number): boolean =>
  Math.abs(row(i, w) - row(j, w)) <= r && Math.abs((i % w) - (j % w)) <= r

export const sparseMaskMutants = mutantSet<Mask>({
  subject: "sparse mask",
  laws: sparseMaskLaws,
  real: sparseMask,
  mutants: {
    "that shows the token after, to be predicted": (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen || s === t + 1)),
    "that hides a token from itself": (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && s !== t)),
    "that hides the first word from the image": (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && !(t >= grid.text && s === 0))),
    "whose text sees a window of two": (pattern, grid) =>
      sparseMask(pattern, grid).map((row, t) => row.map((seen, s) => seen && !(t < grid.text && s < t - 1))),
    "whose rows end one token early": changed("row", (w, i, j) => j <= i && j > i - w),
    "whose rows do not go on in the row above": changed("row", (w, i, j) => j <= i && row(i, w) === row(j, w)),
    "whose columns show what stands below": changed("column", (w, i, j) => i % w === j % w),
    "whose columns are windows of the transposed image": (pattern, grid) => {
      const { rows, columns } = grid
      const turned = (n: number): number => (n % columns) * rows + Math.floor(n / columns)
      return changed("column", (_, i, j) => turned(j) <= turned(i) && turned(j) >= turned(i) - rows)(pattern, grid)
    },
    "whose columns show every other row": changed(
      "column",
      (w, i, j) => j <= i && i % w === j % w && (row(i, w) - row(j, w)) % 2 === 0,
    ),
    "whose kernel shows all of its rows": changed("convolution", (w, i, j, r) => near(w, i, j, r)),
    "whose kernel does not go on at the sides": changed("convolution", (w, i, j, r) => j <= i && near(w, i, j, r)),
    "whose kernel is too narrow": changed("convolution", (w, i, j, r) => j <= i && near(w, i, j, Math.max(0, r - 1))),
  },
})

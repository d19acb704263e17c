/**
 * The gradient of a filter of three rows with stride 1 by six products for every four rows of pixels in place of twelve: the
 * algorithm of Winograd, F(3, 4), along rows. Source: Lavin and Gray 2015, arXiv:1509.09308, section 4; the polynomials
 * are evaluated at 0, 1, −1, 2, −2 and ∞.
 */
import type { Window } from "../program/windows.js"
import type { Graph } from "./graph.js"

/** Six rows of x, four of them a tile's own, at the six points. */
const imagePoints: ReadonlyArray<ReadonlyArray<number>> = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
]

/** Four rows of dy at the six points. */
const slopePoints: ReadonlyArray<ReadonlyArray<number>> = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
]

/** The three rows of the filter from the products at the six points, times 24: whole numbers, so that each is rounded once. */
const filterRows: ReadonlyArray<ReadonlyArray<number>> = [
  [6, -4, -4, 1, 1, 0],
  [0, -4, 4, 2, -2, 0],
  [0, -4, -4, 4, 4, 24],
]

const points = 6
const rowsOfTile = 4

/** Fewer channels on either side, and the products that are saved take less time than the sums they need. */
const leastChannels = 16

/** Lower images have too few tiles for products that are worth it. */
const leastRows = 8

/** From this many places of an image on, its products are worth making alone. */
const manyPlaces = 1024

/** So many images are joined at most: their sums at the points are products with a matrix that is zero between images. */
const mostJoined = 4

/** Whether the gradient takes less time this way. */
export const isShort = ({ kernel, dilations, before, after, output }: Window, [, , from, to]: ReadonlyArray<number>) =>
  kernel[0] === 3 &&
  kernel[1] <= 3 &&
  dilations[0] === 1 &&
  dilations[1] === 1 &&
  [...before, ...after].every((n) => n >= 0) &&
  output[0] >= leastRows &&
  Math.min(from!, to!) >= leastChannels

/** As many images as are joined: a divisor of the batch. */
const joinedOf = (batch: number, places: number): number => {
  const most = places >= manyPlaces ? 1 : mostJoined
  return Array.from({ length: most }, (_, i) => most - i).find((n) => batch % n === 0) ?? 1
}

interface Move {
  readonly image: number
  readonly slopes: number
}

/**
 * Columns by which x and dy are moved to the right, so that a tap which reads x some columns further has its pixels beside
 * those of dy: each side by its part, or all of it by the side that has fewer channels and takes less memory for it.
 */
const movesOf = (ahead: ReadonlyArray<number>, from: number, to: number): ReadonlyArray<Move> => {
  const [first, last] = [Math.max(0, -Math.min(...ahead)), Math.max(0, ...ahead)]
  if (from === to) return ahead.map((by) => ({ image: Math.max(0, -by), slopes: Math.max(0, by) }))
  return ahead.map((by) => (from > to ? { image: first, slopes: by + first } : { image: last - by, slopes: last }))
}

/**
 * [y, x, c, f], from x [b, c, y, x] and dy [b, f, y, x].
 * @param shape  of the filter
 */
export const shortFilterGradient = (
  graph: Graph,
  w: Window,
  shape: ReadonlyArray<number>,
  batch: number,
  x: string,
  dy: string,
): string => {
  const [rows, columns, from, to] = shape as [number, number, number, number]
  const tiles = Math.ceil(w.output[0] / rowsOfTile)
  const moves = movesOf(
    Array.from({ length: columns }, (_, column) => column - w.before[1]),
    from,
    to,
  )
  const most = (side: "image" | "slopes"): number => Math.max(...moves.map((move) => move[side]))
  const pitch = Math.max(w.input[1] + most("image"), w.output[1] + most("slopes"))
  const places = tiles * pitch
  const joined = joinedOf(batch, places)
  const groups = batch / joined

  /** Rows at the six points: [c, groups · points, joined · y · x]. */
  const atPoints = (
    image: string,
    [channels, height, width]: readonly [number, number, number],
    matrix: ReadonlyArray<ReadonlyArray<number>>,
    above: number,
  ): ((move: number) => string) => {
    const size = matrix[0]!.length
    const below = rowsOfTile * (tiles - 1) + size - height - above
    const weights = Array.from({ length: groups }, () =>
      matrix.flatMap((row) =>
        Array.from({ length: joined }, (_, i) =>
          Array.from({ length: joined }, (_, j) => row.map((value) => (i === j ? value : 0))),
        ),
      ),
    )
    const filter = graph.constant("float32", [points * batch, joined, size, 1], weights.flat(4))
    const turned = graph.node("Transpose", [image], { perm: [1, 0, 2, 3] })
    const made = new Map<number, string>()
    return (move) => {
      const known = made.get(move)
      if (known !== undefined) return known
      const pads = [above, move, below, pitch - width - move]
      const rowsAt = graph.node("Conv", [turned, filter], { group: groups, strides: [rowsOfTile, 1], pads })
      const flat = graph.reshape(
        rowsAt,
        [channels, points * batch, tiles, pitch],
        [channels, points * groups, joined * places],
      )
      made.set(move, flat)
      return flat
    }
  }
  const images = atPoints(x, [from, ...w.input], imagePoints, w.before[0])
  const slopes = atPoints(dy, [to, ...w.output], slopePoints, 0)
  const products = moves.map((move) =>
    graph.node("com.microsoft:FusedMatMul", [images(move.image), slopes(move.slopes)], {
      transBatchA: 1,
      transBatchB: 1,
      transA: 0,
      transB: 1,
    }),
  )
  const all = products.length === 1 ? products[0]! : graph.node("Concat", products, { axis: 1 })
  const count = points * groups
  const flat = graph.reshape(all, [count, columns * from, to], [count, columns * from * to])
  const sums = filterRows.map((row) => Array.from({ length: groups }, () => row).flat())
  const filter = graph.node("Gemm", [graph.constant("float32", [rows, count], sums.flat()), flat], {
    alpha: { float: 1 / 24 },
  })
  return graph.reshape(filter, [rows, columns * from * to], shape)
}

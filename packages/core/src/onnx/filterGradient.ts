/**
 * The gradient of a filter with stride 1: for every tap, x moved by the tap against dy. Rows of pixels lie in memory one
 * behind the other, the zeros around them between two rows once. So a move by rows and columns is a move of the whole
 * image by some places, and what is under a tap one slice of it.
 */
import type { Pair, Window } from "../program/windows.js"
import { sizeOf } from "../tensor.js"
import type { Graph } from "./graph.js"

/** Up to this many channels, all taps are one product: products of few rows leave most of a processor idle. */
const fewChannels = 8

/** Below this many pixels for each channel, the pixels of all images are joined: see D-020. */
const pixelsEach = 4

interface Sides {
  /** What is moved, channels [b, m, y · x] of it, and the other side [b, n, y · x] at the same pitch. */
  readonly moved: string
  readonly still: string
  /** Places of `moved` and of `still` in an image. */
  readonly places: Pair
  /** Where in `moved` what is under each tap begins. */
  readonly starts: ReadonlyArray<number>
}

const padded = (graph: Graph, image: string, before: Pair, after: Pair): string =>
  [...before, ...after].every((n) => n === 0)
    ? image
    : graph.node("Pad", [image, graph.int64([0, 0, ...before, 0, 0, ...after]), graph.scalar("float32", 0)])

/** The offset of each tap of the window, in places of an image whose rows are `pitch` long. */
const offsets = ({ kernel: [rows, columns], dilations }: Window, pitch: number): ReadonlyArray<number> =>
  Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    return row * dilations[0] * pitch + column * dilations[1]
  })

/** x with zeros around it, moved; what hangs over one end of a row reads the zeros before the next. */
const movingImage = (graph: Graph, w: Window, pitch: number, x: string, dy: string): Sides => {
  const starts = offsets(w, pitch)
  const places = w.output[0] * pitch
  const rows = Math.ceil((Math.max(...starts) + places) / pitch)
  const [, columns] = w.before
  const below = rows - w.before[0] - w.input[0]
  const moved = padded(graph, x, w.before, [below, pitch - columns - w.input[1]])
  const still = padded(graph, dy, [0, 0], [0, pitch - w.output[1]])
  return { moved, still, places: [rows * pitch, places], starts }
}

/** dy moved the other way, with zeros before and behind all of it. */
const movingSlopes = (graph: Graph, w: Window, pitch: number, x: string, dy: string): Sides => {
  const before = w.before[0] * pitch + w.before[1]
  const moves = offsets(w, pitch).map((offset) => offset - before)
  const places = w.input[0] * pitch
  const front = Math.max(...moves, 0)
  const rowsBefore = Math.ceil(front / pitch)
  const rows = Math.max(Math.ceil((places - Math.min(...moves)) / pitch), w.output[0]) + rowsBefore
  const below = rows - rowsBefore - w.output[0]
  const moved = padded(graph, dy, [rowsBefore, 0], [below, pitch - w.output[1]])
  const still = padded(graph, x, [0, 0], [0, pitch - w.input[1]])
  return { moved, still, places: [rows * pitch, places], starts: moves.map((move) => rowsBefore * pitch - move) }
}

/**
 * [y, x, c, f], from x [b, c, y, x] and dy [b, f, y, x].
 * @param shape  of the filter
 */
export const denseFilterGradient = (
  graph: Graph,
  w: Window,
  shape: ReadonlyArray<number>,
  batch: number,
  x: string,
  dy: string,
): string => {
  const [rows, columns, from, to] = shape as [number, number, number, number]
  const pitch = Math.max(w.input[1] + Math.max(w.before[1], w.after[1]), w.output[1])
  // The side with fewer channels is the one that is copied for every tap.
  const slopesMove = to < from
  const sides = (slopesMove ? movingSlopes : movingImage)(graph, w, pitch, x, dy)
  const [many, other] = slopesMove ? [to, from] : [from, to]
  const joined = sizeOf(w.output) <= pixelsEach * many
  const [long, short] = sides.places
  const flat = (image: string, channels: number, places: number): string => {
    const turned = joined ? graph.node("Transpose", [image], { perm: [1, 0, 2, 3] }) : image
    const wanted = joined ? [channels, batch, places] : [batch, channels, places]
    return graph.reshape(turned, [batch, channels, places / pitch, pitch], wanted)
  }
  const moved = flat(sides.moved, many, long)
  const still = flat(sides.still, other, short)
  const under = sides.starts.map((start) =>
    start === 0 && long === short
      ? moved
      : graph.node("Slice", [moved, graph.int64([start]), graph.int64([start + short]), graph.int64([2])]),
  )
  const product = (parts: ReadonlyArray<string>): string => {
    const seen = parts.length === 1 ? parts[0]! : graph.node("Concat", parts, { axis: joined ? 0 : 1 })
    if (joined) {
      const pixels = batch * short
      const left = graph.reshape(seen, [many * parts.length, batch, short], [many * parts.length, pixels])
      const right = graph.reshape(still, [other, batch, short], [other, pixels])
      return graph.node("Gemm", [left, right], { transA: 0, transB: 1 })
    }
    const each = graph.node("com.microsoft:FusedMatMul", [seen, still], { transA: 0, transB: 1 })
    return graph.node("ReduceSum", [each, graph.int64([0])], { keepdims: 0 })
  }
  const together = many <= fewChannels ? rows * columns : slopesMove && !joined ? columns : 1
  const groups = Array.from({ length: (rows * columns) / together }, (_, i) =>
    product(under.slice(i * together, (i + 1) * together)),
  )
  const all = groups.length === 1 ? groups[0]! : graph.node("Concat", groups, { axis: 0 })
  const apart = [rows * columns, many, other]
  const taps = graph.reshape(all, [rows * columns * many, other], apart)
  const ordered = slopesMove ? graph.node("Transpose", [taps], { perm: [0, 2, 1] }) : taps
  return graph.reshape(ordered, [rows * columns, from, to], shape)
}

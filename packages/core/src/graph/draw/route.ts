/** The paths of arrows: out of one side of a box, into the opposite side of another, never sideways through a third. */
import type { Graph as Layout } from "@dagrejs/dagre"
import type { Picture } from "./picture.js"

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Rectangle extends Point {
  readonly width: number
  readonly height: number
}

export const round = (n: number): string => String(Math.round(n * 10) / 10)

/** Every arrow as the `d` of a path, in the picture's order. */
export const route = (
  { arrows, boxes }: Picture,
  placed: Layout,
  direction: "down" | "right",
): ReadonlyArray<string> => {
  // Computed as if data flowed down; `turn` swaps the axes where it flows to the right.
  const turn = ({ x, y }: Point): Point => (direction === "down" ? { x, y } : { x: y, y: x })
  const box = (id: string): Rectangle => {
    const { width, height, ...centre } = placed.node(id) as Rectangle
    return direction === "down" ? { ...centre, width, height } : { ...turn(centre), width: height, height: width }
  }
  const middles = arrows.map(({ from, to }, i) => {
    const { points } = placed.edge(from, to, String(i)) as { readonly points: ReadonlyArray<Point> }
    return points.slice(1, -1).map(turn)
  })

  // Boxes of one rank share their middle and differ in height: arrows turn only beyond the tallest of them.
  const tallest = new Map<number, number>()
  for (const { id } of boxes) {
    const { y, height } = box(id)
    tallest.set(Math.round(y), Math.max(height / 2, tallest.get(Math.round(y)) ?? 0))
  }
  const half = ({ y, height }: Rectangle): number => tallest.get(Math.round(y)) ?? height / 2

  /** Where each arrow meets its box: spread along the side in the order of what they come from or go to. */
  const meet = (end: "from" | "to"): ReadonlyArray<number> => {
    const xs = arrows.map((arrow) => box(arrow[end]).x)
    for (const id of new Set(arrows.map((arrow) => arrow[end]))) {
      const here = arrows.flatMap((arrow, i) => (arrow[end] === id ? [i] : []))
      const next = (i: number): number =>
        (end === "from" ? middles[i]![0] : middles[i]!.at(-1))?.x ?? box(arrows[i]![end === "from" ? "to" : "from"]).x
      here.sort((a, b) => next(a) - next(b) || a - b)
      const { x, width } = box(id)
      const gap = Math.min(20, (width - 24) / Math.max(1, here.length - 1))
      for (const [k, i] of here.entries()) (xs as Array<number>)[i] = x + (k - (here.length - 1) / 2) * gap
    }
    return xs
  }
  const starts = meet("from")
  const ends = meet("to")

  const text = (point: Point): string => {
    const { x, y } = turn(point)
    return `${round(x)} ${round(y)}`
  }
  return arrows.map(({ from, to }, i) => {
    const [above, below] = [box(from), box(to)]
    const start = { x: starts[i]!, y: above.y + above.height / 2 }
    const end = { x: ends[i]!, y: below.y - below.height / 2 }
    const [leave, arrive] = [above.y + half(above), below.y - half(below)]
    const points = [
      start,
      ...(leave > start.y + 1 ? [{ x: start.x, y: leave }] : []),
      ...middles[i]!.filter(({ y }) => y > leave + 4 && y < arrive - 4),
      ...(arrive < end.y - 1 ? [{ x: end.x, y: arrive }] : []),
      end,
    ]
    return points
      .map((point, k) => {
        const before = points[k - 1]
        if (before === undefined) return `M${text(point)}`
        const y = (before.y + point.y) / 2
        return `C${text({ x: before.x, y })} ${text({ x: point.x, y })} ${text(point)}`
      })
      .join("")
  })
}

/** Row-major numbers along one axis of a port. */
import { parseAxes } from "../axes.js"
import { BadConfig } from "../errors.js"
import { type Port, type Ports, showPort } from "../port.js"
import { sizeOf } from "../tensor.js"
import { shapeOf } from "./subject.js"

type Sizes = Readonly<Record<string, number>>
type Numbers = ReadonlyArray<number>

/** The place of an axis of its own in a port, or null: not one of a product such as `(h e)`. */
export const placeOf = (port: Port, axis: string): number | null => {
  const at = (parseAxes(port.axes) ?? []).findIndex((one) => one.length === 1 && one[0] === axis)
  return at < 0 ? null : at
}

/** The names of the ports that have the axis. */
export const withAxis = (ports: Ports, axis: string): ReadonlyArray<string> =>
  Object.keys(ports).filter((name) => placeOf(ports[name]!, axis) !== null)

/** Where an element lies: its index along the axis, and the number of the slice along the axis that it is in. */
export interface Place {
  readonly along: number
  readonly slice: number
}

/** The numbers changed one by one, each knowing its place; the whole is one slice where there is no axis. */
export const mapPlaces = (
  flat: Numbers,
  port: Port,
  sizes: Sizes,
  axis: string | undefined,
  change: (x: number, place: Place, i: number) => number,
): Array<number> => {
  const at = axis === undefined ? null : placeOf(port, axis)
  if (at === null) return flat.map((x, i) => change(x, { along: i, slice: 0 }, i))
  const shape = shapeOf(port, sizes)
  const [length, inner] = [shape[at]!, sizeOf(shape.slice(at + 1))]
  return flat.map((x, i) => {
    const along = Math.floor(i / inner) % length
    return change(x, { along, slice: Math.floor(i / (inner * length)) * inner + (i % inner) }, i)
  })
}

/** The slices along an axis put in another order: slice `order[i]` comes to place i. */
export const reordered = (flat: Numbers, port: Port, sizes: Sizes, axis: string, order: Numbers): Array<number> => {
  const at = placeOf(port, axis)
  if (at === null) return [...flat]
  const inner = sizeOf(shapeOf(port, sizes).slice(at + 1))
  return mapPlaces(flat, port, sizes, axis, (_, { along }, i) => flat[i + (order[along]! - along) * inner]!)
}

/** The numbers at some places along an axis. */
export const picked = (
  flat: Numbers,
  port: Port,
  sizes: Sizes,
  axis: string,
  keep: (along: number) => boolean,
): Array<number> => {
  const kept: Array<boolean> = []
  mapPlaces(flat, port, sizes, axis, (x, { along }, i) => {
    kept[i] = keep(along)
    return x
  })
  return flat.filter((_, i) => kept[i])
}

/** @throws BadConfig  no port of that name, or it has no such axis */
export const portAt = (where: string, ports: Ports, name: string, axis?: string): Port => {
  const port = ports[name]
  const wrong = (expected: string, received: string): BadConfig =>
    new BadConfig({ where, expected, received, fix: "name a port, and an axis that it has by itself" })
  if (port === undefined) throw wrong(`a law about one of ${Object.keys(ports).join(", ")}`, `a law about "${name}"`)
  if (axis !== undefined && placeOf(port, axis) === null)
    throw wrong(`an axis of ${name}: ${showPort(port)}`, `"${axis}"`)
  return port
}

/** Concrete shapes of a graph's ports. */
import { axisNames } from "../axes.js"
import { BadConfig, ShapeMismatch } from "../errors.js"
import { didYouMean } from "../suggest.js"
import type { DType, Specs } from "../tensor.js"
import type { Graph } from "./parts.js"
import { unify } from "./unify.js"

export interface ResolvedSizes {
  readonly inputs: Specs
  /** By output name. */
  readonly outputs: Specs
  /** Every tensor port: `tokens` or `node.port` for what a node gives, `node > port` for what it takes. */
  readonly ports: Specs
}

/**
 * Every port's shape, from the sizes of the axes of the graph's inputs: `resolveSizes(loss, { b: 8, t: 128 })`.
 * @throws BadConfig      a size for an axis that no input has
 * @throws ShapeMismatch  sizes that contradict each other or a config, or an axis that nothing binds
 */
export const resolveSizes = (graph: Graph, given: Readonly<Record<string, number>> = {}): ResolvedSizes => {
  const axes = [...new Set(Object.values(graph.inputs).flatMap((port) => axisNames(port.axes)))]
  const unknown = Object.keys(given).filter((axis) => !axes.includes(axis))
  if (unknown.length > 0) {
    throw new BadConfig({
      where: graph.name,
      expected: `sizes of axes of the inputs: ${axes.join(" ")}`,
      received: unknown.join(" "),
      fix: didYouMean(unknown[0]!, axes),
    })
  }
  const { sizes, ports } = unify(graph, given)
  const shapes: Record<string, Specs[string]> = {}
  const open: Array<string> = []
  for (const [key, { port, dimensions }] of ports) {
    if (port.dtype === "artifact") continue
    const shape = dimensions.map((dimension) => {
      const size = sizes.size(dimension)
      if (size === null) open.push(`axis ${dimension.name} of ${key}`)
      return size ?? 0
    })
    shapes[key] = { dtype: port.dtype as DType, shape }
  }
  if (open.length > 0) {
    const free = axes.filter((axis) => !(axis in given) && open.some((line) => line.startsWith(`axis ${axis} `)))
    throw new ShapeMismatch({
      where: graph.name,
      expected: "a size for every axis",
      received: `nothing binds ${open.slice(0, 8).join(", ")}${open.length > 8 ? ` and ${open.length - 8} more` : ""}`,
      fix:
        free.length > 0
          ? `give sizes: { ${free.map((axis) => `${axis}: …`).join(", ")} }`
          : "let the node's `sizes` bind it",
    })
  }
  const pick = (names: ReadonlyArray<readonly [string, string]>): Specs =>
    Object.fromEntries(names.flatMap(([name, wire]) => (shapes[wire] === undefined ? [] : [[name, shapes[wire]]])))
  return {
    inputs: pick(Object.keys(graph.inputs).map((name) => [name, name])),
    outputs: pick(Object.entries(graph.outputs)),
    ports: shapes,
  }
}

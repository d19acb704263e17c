/**
 * Shapes of a whole graph. Each node has axis variables of its own, bound by its config; a wire makes the axes at its
 * two ends one, position by position. Nested graphs are opened, so that sizes flow through them.
 */
import { ShapeMismatch } from "../errors.js"
import type { Node } from "../node.js"
import { type Port, type Ports, showPort } from "../port.js"
import { lines } from "./lines.js"
import type { GraphNode } from "./parts.js"
import { isGraph } from "./parts.js"
import { type Dimension, Sizes } from "./sizes.js"
import { outWires, type Source, sourcesOf } from "./wires.js"

/** What unification needs of a graph, assembled or not. */
export interface Wired {
  readonly name: string
  readonly inputs: Ports
  readonly sizes: Readonly<Record<string, number>>
  readonly nodes: ReadonlyArray<GraphNode>
}

type Dimensions = ReadonlyArray<Dimension>

/** The axes of every port of a graph. */
export interface Unified {
  readonly sizes: Sizes
  /** `tokens` for inputs and single outputs, `node.port` for several, `node > port` for in-ports; nested ones prefixed. */
  readonly ports: ReadonlyMap<string, { readonly port: Port; readonly dimensions: Dimensions }>
}

interface Ends {
  readonly inputs: ReadonlyMap<string, Dimensions>
  /** By wire of the graph or node. */
  readonly outputs: ReadonlyMap<string, Dimensions>
}

const isTensor = (port: Port): boolean => port.dtype !== "artifact"

/**
 * @param given  sizes of axes of the inputs, beside those that the graph itself has
 * @throws ShapeMismatch  with every dtype, unit, axis name and size that does not fit
 */
export const unify = (graph: Wired, given: Readonly<Record<string, number>> = {}): Unified => {
  const sizes = new Sizes()
  const ports = new Map<string, { port: Port; dimensions: Dimensions }>()

  const read = (port: Port, scope: Map<string, number>, key: string): Dimensions => {
    const dimensions = isTensor(port) ? sizes.dimensions(port.axes, scope, `${graph.name} > ${key}`) : []
    ports.set(key, { port, dimensions })
    return dimensions
  }

  /** The axes at the ends of a node. `at` is its path within the graph. */
  const openNode = (node: Node, at: string): Ends => {
    if (isGraph(node)) {
      const { inputs, wires } = openGraph(node, `${at} > `, `the sizes of ${at}`)
      const outputs = new Map<string, Dimensions>()
      for (const [wire, output, port] of outWires(at, node.out)) {
        const dimensions = wires.get(output === null ? Object.values(node.outputs)[0]! : node.outputs[output]!)!
        outputs.set(wire, dimensions)
        ports.set(wire, { port, dimensions })
      }
      return { inputs, outputs }
    }
    const scope = new Map<string, number>()
    const inputs = new Map(Object.entries(node.in).map(([name, port]) => [name, read(port, scope, `${at} > ${name}`)]))
    const outputs = new Map(outWires(at, node.out).map(([wire, , port]) => [wire, read(port, scope, wire)]))
    for (const [axis, size] of Object.entries(node.sizes)) sizes.bind(scope, axis, size, `${at}'s config`, at)
    return { inputs, outputs }
  }

  const openGraph = (inner: Wired, prefix: string, by: string) => {
    const scope = new Map<string, number>()
    const inputs = new Map(
      Object.entries(inner.inputs).map(([name, port]) => [name, read(port, scope, `${prefix}${name}`)] as const),
    )
    for (const [axis, size] of Object.entries(inner.sizes)) sizes.bind(scope, axis, size, by, `${prefix}inputs`)
    if (prefix === "") {
      for (const [axis, size] of Object.entries(given)) sizes.bind(scope, axis, size, "the sizes given", "inputs")
    }
    const sources = sourcesOf(inner.inputs, inner.nodes)
    const wires = new Map<string, Dimensions>(inputs)
    for (const { name, node, wires: into } of inner.nodes) {
      const at = `${prefix}${name}`
      const ends = openNode(node, at)
      // Keys of `ends.outputs` have the whole path; within this graph a wire has the node's name alone.
      for (const [wire, dimensions] of ends.outputs) wires.set(wire.slice(prefix.length), dimensions)
      for (const [port, need] of Object.entries(node.in)) {
        const wire = into[port]!
        const have = sources.get(wire)!.type
        const mismatch = { at: `${at} > ${port}`, from: `"${wire}"` }
        if (!same(have, need)) {
          sizes.conflicts.push({
            at: mismatch.at,
            expected: showPort(need),
            received: `${showPort(have)} from ${mismatch.from}`,
            fix: fits(need, sources, name),
          })
          continue
        }
        const produced = wires.get(wire)!
        for (const [i, consumed] of ends.inputs.get(port)!.entries()) {
          sizes.equate({ ...mismatch, produced: produced[i]!, consumed })
        }
      }
    }
    return { inputs, wires }
  }

  openGraph(graph, "", `the sizes of ${graph.name}`)
  sizes.settle()
  refuse(graph.name, sizes)
  return { sizes, ports }
}

const spaced = (axes: string): string =>
  axes
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\( | \)/g, (s) => s.trim())
    .trim()

const same = (a: Port, b: Port): boolean =>
  a.dtype === b.dtype && a.unit === b.unit && spaced(a.axes) === spaced(b.axes)

/** The wires of the graph that carry what a port of `node` needs. */
const fits = (need: Port, sources: ReadonlyMap<string, Source>, node: string): string => {
  const found = [...sources].filter(([, source]) => source.node !== node && same(source.type, need))
  if (found.length === 0) return "no wire carries it: put a node between that makes it"
  return `wire ${found
    .slice(0, 5)
    .map(([wire]) => `"${wire}"`)
    .join(" or ")}`
}

const refuse = (name: string, { conflicts }: Sizes): void => {
  const [first] = conflicts
  if (first === undefined) return
  const one = conflicts.length === 1
  const all = (field: "expected" | "received" | "fix"): string =>
    one ? first[field] : lines(conflicts.map((conflict) => `${conflict.at}: ${conflict[field]}`))
  throw new ShapeMismatch({
    where: one ? `${name} > ${first.at}` : name,
    expected: all("expected"),
    received: all("received"),
    fix: all("fix"),
  })
}

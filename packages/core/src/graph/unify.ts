/**
 * Shapes of a whole graph. Each node has axis variables of its own, bound by its config; a wire makes the axes at its
 * two ends one, position by position. Nested graphs are opened, so that sizes flow through them.
 */
import { type AxisNames, axisNames, renameAxes } from "../axes.js"
import { ShapeMismatch } from "../errors.js"
import { type Port, type Ports, samePort, showPort } from "../port.js"
import { whyNotNames } from "./check.js"
import { failureOf } from "./findings.js"
import { SHOWN } from "./lines.js"
import { type GraphNode, isGraph } from "./parts.js"
import { type Dimension, Sizes } from "./sizes.js"
import { outWires, sourcesOf } from "./wires.js"

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
  const openNode = ({ node, axes, in: needs, out, sizes: fixed }: GraphNode, at: string): Ends => {
    if (isGraph(node)) {
      const inside = openGraph(node, `${at} > `, `the sizes of ${at}`)
      // The same dimensions, called here as this graph calls them.
      const seen = (key: string, port: Port, dimensions: Dimensions): Dimensions => {
        const named = dimensions.map(({ name, terms }) => ({ name: renameAxes(name, axes), terms }))
        ports.set(key, { port, dimensions: named })
        return named
      }
      const inputs = new Map(
        Object.entries(needs).map(([name, port]) => [name, seen(`${at} > ${name}`, port, inside.inputs.get(name)!)]),
      )
      const outputs = new Map(
        outWires(at, out).map(([wire, output, port]) => {
          const inner = output === null ? Object.values(node.outputs)[0]! : node.outputs[output]!
          return [wire, seen(wire, port, inside.wires.get(inner)!)]
        }),
      )
      return { inputs, outputs }
    }
    const scope = new Map<string, number>()
    const inputs = new Map(Object.entries(needs).map(([name, port]) => [name, read(port, scope, `${at} > ${name}`)]))
    const outputs = new Map(outWires(at, out).map(([wire, , port]) => [wire, read(port, scope, wire)]))
    for (const [axis, size] of Object.entries(fixed)) sizes.bind(scope, axis, size, `${at}'s config`, at)
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
    // The wires that a node may take: one of a later node would close a cycle.
    const before: Array<readonly [wire: string, type: Port]> = Object.entries(inner.inputs)
    for (const graphNode of inner.nodes) {
      const { name, wires: into } = graphNode
      const at = `${prefix}${name}`
      const ends = openNode(graphNode, at)
      // Keys of `ends.outputs` have the whole path; within this graph a wire has the node's name alone.
      for (const [wire, dimensions] of ends.outputs) wires.set(wire.slice(prefix.length), dimensions)
      for (const [port, need] of Object.entries(graphNode.in)) {
        const wire = into[port]!
        const have = sources.get(wire)!.type
        const mismatch = { at: `${at} > ${port}`, from: `"${wire}"` }
        if (!samePort(have, need)) {
          sizes.conflicts.push({
            at: mismatch.at,
            expected: showPort(need),
            received: `${showPort(have)} from ${mismatch.from}`,
            // Beyond what an error shows, nothing is searched: a file may have thousands.
            fix: sizes.conflicts.length < SHOWN ? fits(graphNode, port, have, before) : "",
          })
          continue
        }
        const produced = wires.get(wire)!
        for (const [i, consumed] of ends.inputs.get(port)!.entries()) {
          sizes.equate({ ...mismatch, produced: produced[i]!, consumed })
        }
      }
      for (const [wire, , type] of outWires(name, graphNode.out)) before.push([wire, type])
    }
    return { inputs, wires }
  }

  openGraph(graph, "", `the sizes of ${graph.name}`)
  sizes.settle()
  if (sizes.conflicts.length > 0) throw new ShapeMismatch(failureOf(graph.name, sizes.conflicts))
  return { sizes, ports }
}

/** New names for the axes of a node with which its in-port takes what a wire carries, or null. */
const namesFor = ({ node, axes }: GraphNode, port: string, have: Port): AxisNames | null => {
  const own = node.in[port]!
  const [from, to] = [axisNames(own.axes), axisNames(have.axes)]
  const names = { ...axes, ...Object.fromEntries(from.map((axis, i) => [axis, to[i] ?? axis])) }
  const fit = samePort({ ...own, axes: renameAxes(own.axes, names) }, have) && whyNotNames(node, names).length === 0
  return fit ? Object.fromEntries(Object.entries(names).filter(([axis, name]) => axis !== name)) : null
}

/** What to do about a wire that does not fit: the wires before the node that do, or other names for its axes. */
const fits = (node: GraphNode, port: string, have: Port, before: ReadonlyArray<readonly [string, Port]>): string => {
  const found = before.filter(([, type]) => samePort(type, node.in[port]!)).map(([wire]) => `"${wire}"`)
  const names = namesFor(node, port, have)
  const entries = Object.entries(names ?? {}).map(([axis, name]) => `${axis}: "${name}"`)
  const rename = `rename the node's axes, { axes: { ${entries.join(", ")} } }`
  if (found.length === 0) return `no wire carries it: ${names === null ? "put a node between that makes it" : rename}`
  return `wire ${found.slice(0, 5).join(" or ")}${names === null ? "" : `; or ${rename}`}`
}

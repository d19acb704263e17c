/** What every wire of a graph carries and where it comes from. */

import { isPort, type Outputs } from "../node.js"
import type { Port, Ports } from "../port.js"
import type { GraphNode } from "./parts.js"

export interface Source {
  /** The node that produces it, or null for an input of the graph. */
  readonly node: string | null
  /** The out-port; null where the node gives one value. */
  readonly port: string | null
  readonly type: Port
}

/** The out-ports of a node by wire: `node`, or `node.port` for each. */
export const outWires = (
  name: string,
  out: Outputs,
): ReadonlyArray<readonly [wire: string, port: string | null, type: Port]> =>
  isPort(out) ? [[name, null, out]] : Object.entries(out).map(([port, type]) => [`${name}.${port}`, port, type])

/** Every wire of a graph, by name. */
export const sourcesOf = (inputs: Ports, nodes: ReadonlyArray<GraphNode>): ReadonlyMap<string, Source> =>
  new Map<string, Source>([
    ...Object.entries(inputs).map(([name, type]) => [name, { node: null, port: name, type }] as const),
    ...nodes.flatMap(({ name, out }) =>
      outWires(name, out).map(([wire, port, type]) => [wire, { node: name, port, type }] as const),
    ),
  ])

/** Puts a node's result on its wires. */
export const keep = (values: Map<string, unknown>, name: string, out: Outputs, result: unknown): void => {
  for (const [wire, port] of outWires(name, out)) {
    values.set(wire, port === null ? result : (result as Readonly<Record<string, unknown>>)[port])
  }
}

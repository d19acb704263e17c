/** A graph as it was written, nothing checked yet: what the builder and the decoder hand to `assemble`. */

import type { AxisNames } from "../axes.js"
import type { Node } from "../node.js"
import type { Ports } from "../port.js"

/** A node with its wires and options. */
export interface NodePlan {
  readonly name: string
  readonly node: Node
  /** In-port -> wire. */
  readonly wires: Readonly<Record<string, string>>
  /** Its parameters get no gradient and are never updated. */
  readonly frozen: boolean
  /** The node of this graph whose parameters it uses in place of its own. */
  readonly shares: string | null
  /** Axis of the node -> what this graph calls it; axes that keep their name are left out. */
  readonly axes: AxisNames
}

export interface OutputsPlan {
  /** One value under the graph's own name, not ports by name. */
  readonly single: boolean
  readonly wires: ReadonlyArray<readonly [name: string, wire: string]>
}

export interface GraphPlan {
  readonly name: string
  readonly inputs: Ports
  /** Sizes of axes of the inputs. */
  readonly sizes: Readonly<Record<string, number>>
  readonly nodes: ReadonlyArray<NodePlan>
  readonly outputs: OutputsPlan
}

/** A wire that is also the output's name, or output names with their wires. */
export type OutputName = string | Readonly<Record<string, string>>

const lastOf = (wire: string): string => wire.slice(wire.indexOf(".") + 1)

/** The outputs that `.output(…)` was asked for. The output of wire `node.port` is called `port`. */
export const planOutputs = (names: ReadonlyArray<OutputName>): OutputsPlan => ({
  single: names.length === 1 && typeof names[0] === "string",
  wires: names.flatMap((name) => (typeof name === "string" ? [[lastOf(name), name] as const] : Object.entries(name))),
})

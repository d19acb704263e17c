/** Topological order. */
import { Cycle } from "../errors.js"
import type { GraphNode } from "./parts.js"
import type { Source } from "./wires.js"

/**
 * The nodes, each after what it needs (its wires' producers and the node whose parameters it shares); otherwise in the
 * order given.
 * @throws Cycle  naming one
 */
export const order = (
  where: string,
  nodes: ReadonlyArray<GraphNode>,
  sources: ReadonlyMap<string, Source>,
): ReadonlyArray<GraphNode> => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const needs = new Map(
    nodes.map((node) => {
      const producers = Object.values(node.wires).flatMap((wire) => sources.get(wire)?.node ?? [])
      return [node.name, [...new Set(node.shares === null ? producers : [...producers, node.shares])]]
    }),
  )
  const sorted: Array<GraphNode> = []
  const done = new Set<string>()
  // Depth first with a stack of its own: a chain of ten thousand nodes must not overflow the call stack.
  for (const { name: root } of nodes) {
    const path: Array<{ readonly name: string; next: number }> = done.has(root) ? [] : [{ name: root, next: 0 }]
    const open = new Set(path.map(({ name }) => name))
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = needs.get(top.name)?.[top.next++]
      if (need === undefined) {
        sorted.push(byName.get(top.name)!)
        done.add(top.name)
        open.delete(top.name)
        path.pop()
      } else if (open.has(need)) {
        const names = path.map(({ name }) => name)
        const cycle = [...names.slice(names.indexOf(need)), need].reverse()
        throw new Cycle({
          where,
          expected: "nodes that can be put in an order",
          received: cycle.join(" → "),
          fix: `cut one of these wires; a loop is a node, not a cycle`,
        })
      } else if (!done.has(need)) {
        path.push({ name: need, next: 0 })
        open.add(need)
      }
    }
  }
  return sorted
}

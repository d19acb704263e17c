/** A graph as boxes, clusters and arrows: nested graphs opened, wires drawn from where a value is really made. */

import type { AxisNames } from "../../axes.js"
import { isParamSpec, type Node } from "../../node.js"
import { type Port, showPort } from "../../port.js"
import { sizeOf } from "../../tensor.js"
import { flatten } from "../../tree.js"
import { type Graph, isGraph } from "../parts.js"
import { outWires } from "../wires.js"

export interface Box {
  readonly id: string
  readonly kind: "input" | "output" | "tensor" | "stage"
  /** The cluster it stands in, or null. */
  readonly cluster: string | null
  readonly name: string
  /** `type@version`, or the port of an input or output. */
  readonly detail: string
  /** What else there is to say: parameters, frozen, shares. */
  readonly notes: ReadonlyArray<string>
  readonly frozen: boolean
  /** The node's place in the graph: `outer.inner`; the name of an input or output. */
  readonly path: string
  /** The whole path, for a tooltip. */
  readonly title: string
}

export interface Cluster {
  readonly id: string
  readonly cluster: string | null
  readonly name: string
  readonly frozen: boolean
}

export interface Arrow {
  readonly from: string
  readonly to: string
  /** The in-ports that it ends in. */
  readonly ports: ReadonlyArray<string>
  /** What the value is called where it is made. */
  readonly source: string
  readonly type: string
  /** Whether it begins at an input or ends at an output, whose boxes say the type. */
  readonly ends: "input" | "output" | null
  readonly title: string
}

export interface Picture {
  readonly name: string
  readonly boxes: ReadonlyArray<Box>
  readonly clusters: ReadonlyArray<Cluster>
  readonly arrows: ReadonlyArray<Arrow>
}

/** Where a wire begins: a box, and which of its values. */
interface End {
  readonly id: string
  readonly value: string
}

/** 1234567 -> `1.2 M parameters` */
const parameters = (node: Node): ReadonlyArray<string> => {
  if (node.level !== "tensor") return []
  const count = Object.values(flatten(node.params, isParamSpec)).reduce((n, { shape }) => n + sizeOf(shape), 0)
  if (count === 0) return []
  const short =
    count >= 1e6 ? `${(count / 1e6).toFixed(1)} M` : count >= 1e4 ? `${(count / 1e3).toFixed(0)} k` : `${count}`
  return [`${short} parameters`]
}

/** `axes b → n, t → s` */
const renamed = (axes: AxisNames): ReadonlyArray<string> => {
  const entries = Object.entries(axes).map(([axis, name]) => `${axis} → ${name}`)
  return entries.length === 0 ? [] : [`axes ${entries.join(", ")}`]
}

const typeOf = (port: Port): string => (port.dtype === "artifact" ? port.unit : showPort(port))

/** The picture of a graph. Ids are short and safe in any format: `n0`, `n1`, … */
export const pictureOf = (graph: Graph): Picture => {
  const boxes: Array<Box> = []
  const clusters: Array<Cluster> = []
  const arrows: Array<{ from: string; to: string; ports: Array<string>; type: string; title: string; source: string }> =
    []
  let ids = 0
  const id = (): string => `n${ids++}`

  const connect = (source: End, to: string, port: string, type: string, title: string): void => {
    const same = arrows.find((arrow) => arrow.from === source.id && arrow.to === to && arrow.source === source.value)
    if (same !== undefined) same.ports.push(port)
    else arrows.push({ from: source.id, to, ports: [port], type, title, source: source.value })
  }

  /** Draws the inside of a graph; gives where each of its wires comes from. */
  const open = (
    inner: Graph,
    given: ReadonlyMap<string, End>,
    cluster: string | null,
    path: string,
    prefix: string,
    frozenAbove: boolean,
    sharedAbove: boolean,
  ) => {
    const ends = new Map(given)
    for (const { name, node, wires, frozen: own, shares, axes, in: needs, out } of inner.nodes) {
      const frozen = own || frozenAbove
      const at = `${path} > ${name}`
      if (isGraph(node)) {
        const box = id()
        clusters.push({
          id: box,
          cluster,
          name: [`${name}: ${node.name}`, ...(shares === null ? [] : [`shares ${shares}`]), ...renamed(axes)].join(
            " · ",
          ),
          frozen,
        })
        const inside = new Map(Object.entries(wires).map(([port, wire]) => [port, ends.get(wire)!] as const))
        const made = open(node, inside, box, at, `${prefix}${name}.`, frozen, sharedAbove || shares !== null)
        for (const [wire, port] of outWires(name, out)) {
          const output = port === null ? Object.values(node.outputs)[0]! : node.outputs[port]!
          ends.set(wire, made.get(output)!)
        }
        continue
      }
      const box = id()
      boxes.push({
        id: box,
        kind: node.level,
        cluster,
        name,
        detail: `${node.type}@${node.version}`,
        notes: [
          ...(shares !== null ? [`shares ${shares}`] : sharedAbove ? [] : parameters(node)),
          ...(frozen ? ["frozen"] : []),
          ...renamed(axes),
        ],
        frozen,
        path: `${prefix}${name}`,
        title: `${at}: ${node.type}@${node.version}${node.source === undefined ? "" : `. ${node.source}`}`,
      })
      for (const [port, need] of Object.entries(needs)) {
        const source = ends.get(wires[port]!)!
        connect(source, box, port, typeOf(need), `${wires[port]} → ${name} > ${port}: ${showPort(need)}`)
      }
      for (const [wire] of outWires(name, out)) ends.set(wire, { id: box, value: wire.slice(wire.indexOf(".") + 1) })
    }
    return ends
  }

  const inputs = new Map<string, End>()
  for (const [name, port] of Object.entries(graph.inputs)) {
    const box = id()
    inputs.set(name, { id: box, value: name })
    boxes.push({
      id: box,
      kind: "input",
      cluster: null,
      name,
      detail: typeOf(port),
      notes: [],
      frozen: false,
      path: name,
      title: `input ${name}: ${showPort(port)}`,
    })
  }
  const ends = open(graph, inputs, null, graph.name, "", false, false)
  const types = new Map([
    ...Object.entries(graph.inputs),
    ...graph.nodes.flatMap((n) => outWires(n.name, n.out).map(([w, , t]) => [w, t] as const)),
  ])
  for (const [name, wire] of Object.entries(graph.outputs)) {
    const box = id()
    const type = types.get(wire)!
    boxes.push({
      id: box,
      kind: "output",
      cluster: null,
      name,
      detail: typeOf(type),
      notes: [],
      frozen: false,
      path: name,
      title: `output ${name}: ${showPort(type)}`,
    })
    connect(ends.get(wire)!, box, name, typeOf(type), `${wire} → output ${name}: ${showPort(type)}`)
  }
  const io = new Map(
    boxes.flatMap(({ id, kind }) => (kind === "input" || kind === "output" ? [[id, kind] as const] : [])),
  )
  return {
    name: graph.name,
    boxes,
    clusters,
    arrows: arrows.map((arrow) => ({ ...arrow, ends: io.get(arrow.to) ?? io.get(arrow.from) ?? null })),
  }
}

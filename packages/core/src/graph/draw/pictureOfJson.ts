/**
 * A graph file as a picture, without the nodes that it names: what a reader draws who does not have them. Types of ports are
 * not in the file, so its arrows have none.
 */
import { jsonHash } from "../../json.js"
import { byName, type GraphJson } from "../encode.js"
import type { Arrow, Box, Cluster, Picture } from "./picture.js"

const head = (wire: string): string => wire.split(".")[0] ?? wire
const tail = (wire: string): string => (wire.includes(".") ? wire.slice(wire.indexOf(".") + 1) : "")

/** The hash that `graphHash` gives for the graph that was written. */
export const graphHashOfJson = (json: GraphJson): string => jsonHash(byName(json))

export const pictureOfJson = (json: GraphJson): Picture => {
  const boxes: Array<Box> = []
  const clusters: Array<Cluster> = []
  const arrows: Array<{ from: string; to: string; ports: Array<string>; source: string }> = []
  let ids = 0
  const id = (): string => `n${ids++}`
  const box = (given: Pick<Box, "kind" | "cluster" | "name" | "path"> & Partial<Box>): string => {
    const made = { id: id(), detail: "", notes: [], frozen: false, title: given.path, ...given }
    boxes.push(made)
    return made.id
  }
  const connect = (from: string | undefined, source: string, to: string, port: string): void => {
    if (from === undefined) return
    const same = arrows.find((arrow) => arrow.from === from && arrow.to === to && arrow.source === source)
    if (same !== undefined) same.ports.push(port)
    else arrows.push({ from, to, ports: [port], source })
  }

  /** Draws the inside of a graph; gives the box behind each of its wires. */
  const open = (
    graph: GraphJson,
    given: ReadonlyMap<string, string>,
    cluster: string | null,
    prefix: string,
    above: boolean,
  ): ((wire: string) => string | undefined) => {
    const ends = new Map<string, (port: string) => string | undefined>()
    const find = (wire: string): string | undefined => given.get(wire) ?? ends.get(head(wire))?.(tail(wire))
    for (const { name, node = "", graph: inner, wires, frozen: own, shares } of graph.nodes) {
      const frozen = own === true || above
      const path = `${prefix}${name}`
      const shared = shares === undefined ? [] : [`shares ${shares}`]
      if (inner !== undefined) {
        const around = id()
        clusters.push({ id: around, cluster, name: [`${name}: ${inner.name}`, ...shared].join(" · "), frozen })
        const inside = new Map(
          Object.entries(wires).flatMap(([port, wire]) => {
            const end = find(wire)
            return end === undefined ? [] : [[port, end] as const]
          }),
        )
        const made = open(inner, inside, around, `${path}.`, frozen)
        const { outputs } = inner
        ends.set(name, (port) => made(typeof outputs === "string" ? outputs : (outputs[port] ?? "")))
        continue
      }
      const notes = [...shared, ...(frozen ? ["frozen"] : [])]
      const at = box({ kind: "stage", cluster, name, path, detail: node, notes, frozen, title: `${path}: ${node}` })
      for (const [port, wire] of Object.entries(wires)) connect(find(wire), tail(wire), at, port)
      ends.set(name, () => at)
    }
    return find
  }

  const inputs = new Map(
    Object.entries(json.inputs).map(([name, { dtype, axes, unit }]) => {
      const detail = dtype === "artifact" ? unit : [dtype, axes, unit].filter((part) => part !== "").join(" ")
      return [name, box({ kind: "input", cluster: null, name, path: name, detail })] as const
    }),
  )
  const find = open(json, inputs, null, "", false)
  const outputs = typeof json.outputs === "string" ? { [json.outputs]: json.outputs } : json.outputs
  for (const [name, wire] of Object.entries(outputs)) {
    connect(find(wire), tail(wire), box({ kind: "output", cluster: null, name, path: name }), name)
  }
  const kinds = new Map(boxes.map(({ id: at, kind }) => [at, kind]))
  const endOf = (at: string): Arrow["ends"] => {
    const kind = kinds.get(at)
    return kind === "input" || kind === "output" ? kind : null
  }
  return {
    name: json.name,
    boxes,
    clusters,
    arrows: arrows.map((arrow) => ({
      ...arrow,
      type: "",
      ends: endOf(arrow.to) ?? endOf(arrow.from),
      title: `${arrow.ports.join(", ")}`,
    })),
  }
}

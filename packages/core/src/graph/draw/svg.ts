/** A graph as a self-contained SVG: no script, no font, no network; light and dark by the viewer's colour scheme. */
import { Graph as Layout, layout } from "@dagrejs/dagre"
import { graphHash } from "../encode.js"
import type { Graph } from "../parts.js"
import { type Arrow, type Box, type Cluster, type Picture, pictureOf } from "./picture.js"
import { type Point, type Rectangle, round, route } from "./route.js"
import { style, type Theme } from "./style.js"

export interface SvgOptions {
  /** `auto` follows the viewer's colour scheme. */
  readonly theme?: Theme
  /** Where the data flows to: down, or to the right. */
  readonly direction?: "down" | "right"
}

export interface DrawOptions extends SvgOptions {
  /** Where a box leads to; a box that leads nowhere is no link. */
  readonly link?: (box: Box) => string | undefined
  /** Further classes of a box: its state. */
  readonly classes?: (box: Box) => string
  /** Leaves the types of values out of the labels: long arrows then take less room. */
  readonly terse?: boolean
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replaceAll(/[^\P{C}\n]/gu, "\ufffd")

// Widths of an average character in em, on the wide side: no font is measured here, and text must not leave its box.
const sans = (text: string, size: number): number => text.length * size * 0.6
const mono = (text: string, size: number): number => text.length * size * 0.62

const fonts = { name: 14, detail: 11, label: 10.5 } as const
const line = 15

/** A long name would make its box, and so the whole drawing, wide: the tooltip has it whole. */
const cut = (text: string): string => (text.length <= 44 ? text : `${text.slice(0, 43)}…`)

const boxSize = ({ name, detail, notes }: Box): { width: number; height: number } => {
  const text = Math.max(
    sans(cut(name), fonts.name),
    mono(cut(detail), fonts.detail),
    mono(notes.join(" · "), fonts.detail),
  )
  return { width: Math.max(110, text + 32), height: 44 + (notes.length > 0 ? line : 0) }
}

/** The lines of an arrow's label: the in-ports where their name is another, and the type where no end's box says it. */
const labelsOf = ({ ports, type, source, ends }: Arrow): ReadonlyArray<string> => [
  ...(ends !== "output" && (ports.length > 1 || (ports[0] !== source && ports[0] !== type)) ? [ports.join(", ")] : []),
  ...(ends === null && type !== "" ? [type] : []),
]

/** The lines of every arrow's label, in the picture's order. */
const labels = ({ arrows }: Picture, terse: boolean): ReadonlyArray<ReadonlyArray<string>> =>
  arrows.map((arrow) => labelsOf(terse ? { ...arrow, type: "" } : arrow))

const drawBox = (box: Box, { x, y, width, height }: Rectangle, { link, classes }: DrawOptions): string => {
  const more = classes?.(box) ?? ""
  const target = link?.(box)
  const place = `<g class="mg-${box.kind}${box.frozen ? " mg-frozen" : ""}${more === "" ? "" : ` ${escaped(more)}`}" transform="translate(${round(x - width / 2)} ${round(y - height / 2)})"><title>${escaped(box.title)}</title>`
  const frame = (radius: number): string =>
    `<rect class="mg-frame" width="${round(width)}" height="${round(height)}" rx="${radius}"/>`
  const text = (kind: string, top: number, content: string): string =>
    `<text class="mg-${kind}" x="${round(width / 2)}" y="${round(top)}">${escaped(content)}</text>`
  const notes = box.notes.length > 0 ? text("note", 51, box.notes.join(" · ")) : ""
  const inside = `${place}${frame(box.kind === "input" || box.kind === "output" ? 22 : 7)}${text("name", 19.5, cut(box.name))}${text("detail", 35.5, cut(box.detail))}${notes}</g>`
  if (target === undefined) return inside
  const label = [box.name, box.detail, ...box.notes].join(", ")
  return `<a href="${escaped(target)}" data-path="${escaped(box.path)}" aria-label="${escaped(label)}">${inside}</a>`
}

/** Room for the cluster's name above its nodes, of which the layout knows nothing. */
const band = 22

const drawCluster = ({ name, frozen }: Cluster, { x, y, width, height }: Rectangle): string =>
  `<g class="mg-cluster${frozen ? " mg-frozen" : ""}"><title>${escaped(name)}</title>` +
  `<rect class="mg-frame" x="${round(x - width / 2)}" y="${round(y - height / 2 - band)}" width="${round(width)}" height="${round(height + band)}" rx="10"/></g>`

const drawClusterName = ({ name, frozen }: Cluster, { x, y, width, height }: Rectangle): string =>
  `<text class="mg-cluster-name${frozen ? " mg-frozen-name" : ""}" x="${round(x - width / 2 + 12)}" y="${round(y - height / 2 - band + 17)}">${escaped(frozen ? `${name} · frozen` : name)}</text>`

const drawLabel = (arrow: Arrow, lines: ReadonlyArray<string>, { x, y }: Point): string => {
  if (lines.length === 0) return ""
  const top = y - ((lines.length - 1) * 13) / 2 + 3.5
  const width = Math.max(...lines.map((text) => mono(text, fonts.label)))
  const ground = `<rect class="mg-label-ground" x="${round(x - width / 2)}" y="${round(top - 10)}" width="${round(width)}" height="${lines.length * 13}" rx="3"/>`
  const texts = lines
    .map((text, i) => {
      const kind = text === arrow.type ? "mg-label" : "mg-label-port"
      return `<text class="${kind}" x="${round(x)}" y="${round(top + i * 13)}">${escaped(text)}</text>`
    })
    .join("")
  return ground + texts
}

const place = (
  { boxes, clusters, arrows }: Picture,
  written: ReadonlyArray<ReadonlyArray<string>>,
  direction: "down" | "right",
): Layout => {
  const graph = new Layout({ compound: true, multigraph: true })
  graph.setGraph({
    rankdir: direction === "down" ? "TB" : "LR",
    nodesep: direction === "right" && clusters.length > 0 ? 34 + band : 34,
    edgesep: 22,
    ranksep: clusters.length > 0 ? 36 : 30,
    marginx: 16,
    marginy: clusters.length > 0 ? 16 + band : 16,
  })
  for (const { id } of clusters) graph.setNode(id, { width: 80, height: 20 })
  for (const box of boxes) graph.setNode(box.id, boxSize(box))
  for (const { id, cluster } of [...clusters, ...boxes]) if (cluster !== null) graph.setParent(id, cluster)
  for (const [i, arrow] of arrows.entries()) {
    const lines = written[i] ?? []
    const width = Math.max(0, ...lines.map((text) => mono(text, fonts.label))) + 8
    graph.setEdge(arrow.from, arrow.to, { width, height: lines.length * 13 + 6, labelpos: "c" }, String(i))
  }
  layout(graph)
  return graph
}

/** The graph as SVG text: boxes for nodes, clusters for nested graphs, port types on the arrows, frozen nodes dashed. */
export const toSvg = (graph: Graph, options: SvgOptions = {}): string =>
  drawPicture(pictureOf(graph), graphHash(graph), options)

/** @param hash  of the graph: several may stand in one page, and ids must differ */
export const drawPicture = (picture: Picture, hash: string, options: DrawOptions = {}): string => {
  const { theme = "auto", direction = "down", terse = false } = options
  const written = labels(picture, terse)
  const placed = place(picture, written, direction)
  const rectangle = (id: string): Rectangle => placed.node(id) as Rectangle
  const arrowhead = `mg-${hash.replaceAll(/\W/g, "").slice(0, 12)}`
  const routes = route(picture, placed, direction)
  const lines = picture.arrows.map((arrow, i) => {
    const { x, y } = placed.edge(arrow.from, arrow.to, String(i)) as Point
    return {
      path: `<path class="mg-arrow" d="${routes[i]}" marker-end="url(#${arrowhead})"><title>${escaped(arrow.title)}</title></path>`,
      label: drawLabel(arrow, written[i] ?? [], { x, y }),
    }
  })
  const { width = 0, height = 0 } = placed.graph() as { width?: number; height?: number }
  const nodes = picture.boxes.filter(({ kind }) => kind === "tensor" || kind === "stage").length
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="mg mg-${theme}" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="${options.link === undefined ? "img" : "group"}" aria-label="${escaped(`graph ${picture.name}`)}">`,
    `<title>${escaped(`graph ${picture.name}, ${nodes} nodes`)}</title>`,
    `<style>${style}</style>`,
    `<defs><marker id="${arrowhead}" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="mg-head" d="M0.5 0.8L7.5 4L0.5 7.2z"/></marker></defs>`,
    `<rect class="mg-ground" width="100%" height="100%"/>`,
    ...picture.clusters.map((cluster) => drawCluster(cluster, rectangle(cluster.id))),
    ...lines.map(({ path }) => path),
    ...picture.clusters.map((cluster) => drawClusterName(cluster, rectangle(cluster.id))),
    ...picture.boxes.map((box) => drawBox(box, rectangle(box.id), options)),
    ...lines.map(({ label }) => label),
    "</svg>",
    "",
  ].join("\n")
}

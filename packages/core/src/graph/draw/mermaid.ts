/** A graph as mermaid text, which GitHub and most Markdown viewers draw. */
import type { Graph } from "../../graph.js"
import { type Box, pictureOf } from "./picture.js"

// Mermaid reads quotes, hashes and brackets inside of labels, and labels as HTML: all of these become entities.
const escaped = (text: string): string =>
  text.replaceAll(/[^\p{L}\p{N} .,:;@_/+*→·×-]/gu, (character) => `#${character.codePointAt(0)};`)

const shape = ({ id, kind, name, detail, notes }: Box): string => {
  if (kind === "input" || kind === "output") return `${id}(["${escaped(name)}"])`
  return `${id}["<b>${escaped(name)}</b><br/>${[detail, ...notes].map(escaped).join("<br/>")}"]`
}

/** The graph as a mermaid flowchart: port types on the arrows, nested graphs as subgraphs, frozen nodes dashed. */
export const toMermaid = (graph: Graph): string => {
  const { boxes, clusters, arrows } = pictureOf(graph)
  const within = (cluster: string | null, indent: string): ReadonlyArray<string> => [
    ...boxes.filter((box) => box.cluster === cluster).map((box) => `${indent}${shape(box)}`),
    ...clusters
      .filter((inner) => inner.cluster === cluster)
      .flatMap(({ id, name }) => [
        `${indent}subgraph ${id}["${escaped(name)}"]`,
        ...within(id, `${indent}  `),
        `${indent}end`,
      ]),
  ]
  const frozen = [...boxes, ...clusters].filter((box) => box.frozen).map(({ id }) => id)
  return [
    "flowchart TD",
    ...within(null, "  "),
    ...arrows.map(({ from, to, type }) => `  ${from} -- "${escaped(type)}" --> ${to}`),
    ...(frozen.length === 0 ? [] : ["  classDef frozen stroke-dasharray:4 3", `  class ${frozen.join(",")} frozen`]),
    "",
  ].join("\n")
}

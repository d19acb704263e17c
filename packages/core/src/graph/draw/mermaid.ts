/** A graph as mermaid text, which GitHub and most Markdown viewers draw. */
import type { Graph } from "../parts.js"
import { type Box, pictureOf } from "./picture.js"

// Labels stand in quotes, where mermaid still reads HTML, Markdown and entities: what could begin one becomes an entity.
const escaped = (text: string): string =>
  text.replaceAll(/[^\p{L}\p{N} .,:@/+()[\]{}=→·×-]/gu, (character) => `#${character.codePointAt(0)};`)

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

/** The graph of a run, drawn to be moved and opened: stages, the objectives that they train, the programs these become. */
import type { Picture } from "../graph/draw/picture.js"
import { drawPicture } from "../graph/draw/svg.js"
import { detail, type FunctionLinks } from "./detail.js"
import type { FunctionFacts, GraphFacts } from "./graphFacts.js"
import { type Html, html, trusted } from "./html.js"
import { showSeconds } from "./number.js"
import { programTable } from "./programTable.js"
import { hasSection } from "./stageSection.js"
import type { RunStory, StageStory } from "./story.js"

/** An inline drawing needs no namespace, for the page must name no address, and no style of its own. */
const inline = (svg: string): Html =>
  trusted(svg.replaceAll(/\sxmlns(?::\w+)?="[^"]*"/g, "").replace(/<style>[^<]*<\/style>\n?/, ""))

const stateNote = (stage: StageStory): string => {
  switch (stage.status) {
    case "done":
    case "running":
      return showSeconds(stage.seconds)
    case "cached":
      return "found in the store"
    case "waiting":
      return "not started"
    default:
      return `${stage.status} after ${showSeconds(stage.seconds)}`
  }
}

/** The picture with the state of each stage in its box. */
const withStates = (picture: Picture, { stages }: RunStory): Picture => ({
  ...picture,
  boxes: picture.boxes.map((box) => {
    const stage = box.kind === "stage" ? stages.get(box.path) : undefined
    return stage === undefined ? box : { ...box, notes: [...box.notes, stateNote(stage)] }
  }),
})

const drawing = (id: string, svg: Html, label: string, first: boolean): Html =>
  html`<div class="drawing" id="${id}" data-label="${label}"${first ? undefined : html` hidden`}>${svg}</div>`

const nodeDetails = (graph: GraphFacts, prefix: string): ReadonlyArray<Html> =>
  [...graph.nodes].map(([path, facts], i) => detail({ id: `${prefix}-${i}`, name: path, facts }))

const drawObjective = (graph: GraphFacts, prefix: string): Html => {
  const places = new Map([...graph.nodes.keys()].map((path, i) => [path, `#${prefix}-${i}`] as const))
  const link = ({ path, kind }: { path: string; kind: string }): string | undefined =>
    kind === "input" || kind === "output" ? undefined : places.get(path)
  return inline(drawPicture(graph.picture, graph.hash, { link }))
}

/** The drawings and programs of all functions, each once, and how each function finds its own. */
const openFunctions = (functions: ReadonlyMap<string, ReadonlyArray<FunctionFacts>>) => {
  const drawings: Array<Html> = []
  const details: Array<Html> = []
  const places = new Map<string, string>()
  const place = (graph: GraphFacts): string => {
    const known = places.get(graph.hash)
    if (known !== undefined) return known
    const id = `objective-${places.size}`
    places.set(graph.hash, id)
    drawings.push(drawing(id, drawObjective(graph, id), graph.name, false))
    details.push(...nodeDetails(graph, id))
    return id
  }
  let programs = 0
  const links = [...functions].map(([stage, told]) => {
    const opened = told.map((facts): FunctionLinks => {
      const at = facts.graph === undefined ? undefined : place(facts.graph)
      if (facts.kernels === undefined) return { facts, drawing: at, program: undefined }
      const program = `program-${programs++}`
      drawings.push(
        html`<div class="drawing table" id="${program}" data-label="the program of ${facts.name}" hidden>${programTable(facts.kernels)}</div>`,
      )
      return { facts, drawing: at, program }
    })
    return [stage, opened] as const
  })
  return { drawings, details, links: new Map(links) }
}

export const graphSection = (graph: GraphFacts, story: RunStory): Html => {
  const stages = [...story.stages.values()]
  const places = new Map(stages.map(({ name }, i) => [name, i] as const))
  const svg = drawPicture(withStates(graph.picture, story), graph.hash, {
    terse: true,
    link: ({ path, kind }) => (kind === "stage" && places.has(path) ? `#node-${places.get(path)}` : undefined),
    classes: ({ path, kind }) => (kind === "stage" ? `is-${story.stages.get(path)?.status ?? "waiting"}` : ""),
  })
  const { drawings, details, links } = openFunctions(graph.functions ?? new Map())
  const stageDetails = stages.map((stage, i) =>
    detail({
      id: `node-${i}`,
      name: stage.name,
      facts: graph.nodes.get(stage.name),
      stage,
      functions: links.get(stage.name) ?? [],
      section: hasSection(stage) ? `stage-${i}` : undefined,
    }),
  )
  return html`<section class="viewer" id="graph" aria-label="Graph">
<div class="bar"><p class="trail"><button type="button" data-open="pipeline" aria-current="true">${graph.name}</button><span class="here" role="status"></span></p>
<div class="zooms" role="group" aria-label="Zoom"><button type="button" data-zoom="out" aria-label="Zoom out">−</button><output>100 %</output><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="fit">Fit</button></div></div>
<div class="panes"><div class="canvas" tabindex="0" role="group" aria-label="Drawing of the graph. Arrow keys move it, plus and minus zoom, 0 fits it; Tab goes to its nodes." aria-describedby="canvas-help">
${drawing("pipeline", inline(svg), graph.name, true)}${drawings}</div>
<aside class="details" aria-label="Details">${stageDetails}${details}</aside></div>
<p class="help" id="canvas-help">Choose a stage to open it. <span class="by-mouse">Drag to move; scroll to zoom with Ctrl held, or once the drawing is focused.</span><span class="by-touch">Drag to move, two fingers zoom.</span></p>
</section>`
}

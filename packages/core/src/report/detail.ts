/** What opens when a node of the drawn graph is chosen: everything that is known of it. */
import type { FunctionFacts, NodeFacts } from "./graphFacts.js"
import { type Html, html } from "./html.js"
import { leaves } from "./leaves.js"
import { showBytes, showNumber, showSeconds } from "./number.js"
import type { StageStory } from "./story.js"
import { stateWords } from "./words.js"

const longestValue = 300

const cut = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue)} …` : text)

/** A name of many parts may break after each of them. */
const breakable = (name: string): Html =>
  html`${name.split(".").map((part, i) => (i === 0 ? html`${part}` : html`.<wbr>${part}`))}`

const rows = (entries: ReadonlyArray<readonly [string, string | Html]>): Html =>
  html`<dl class="pairs">${entries.map(([name, value]) => html`<div><dt>${breakable(name)}</dt><dd>${value}</dd></div>`)}</dl>`

const block = (title: string, content: Html | undefined): Html | undefined =>
  content === undefined ? undefined : html`<h4>${title}</h4>${content}`

const measures = (stage: StageStory): ReadonlyArray<readonly [string, string]> => [
  ...(stage.status === "waiting"
    ? []
    : [["Time", `${showSeconds(stage.seconds)}${stage.status === "cached" ? " when it was made" : ""}`] as const]),
  ...(stage.memory === undefined ? [] : [["Memory at most", showBytes(stage.memory)] as const]),
  ...(stage.step === 0
    ? []
    : [["Steps", `${stage.step.toLocaleString("en-US")} of ${stage.steps.toLocaleString("en-US")}`] as const]),
  ...(stage.amount > 0 && stage.seconds > 0 && stage.status !== "cached"
    ? [["Rate", `${showNumber(Number((stage.amount / stage.seconds).toPrecision(3)))} ${stage.unit}/s`] as const]
    : []),
  [
    "Cache",
    stage.status === "cached"
      ? `found in the store, made by run ${stage.from ?? "?"}`
      : stage.status === "waiting"
        ? "not looked up"
        : "not used: the stage ran",
  ],
]

/** Buttons that open a function's levels; `at` names the place of its drawing and of its program. */
export interface FunctionLinks {
  readonly facts: FunctionFacts
  readonly drawing: string | undefined
  readonly program: string | undefined
}

const functionRow = (stage: string, { facts, drawing, program }: FunctionLinks): Html => {
  const kernels = facts.kernels?.reduce((sum, { count }) => sum + count, 0) ?? 0
  const path = `${stage} › ${facts.name}`
  const nodes = facts.graph?.nodes.size ?? 0
  return html`<li><span class="mono">${facts.name}</span>${
    drawing === undefined
      ? undefined
      : html` <button type="button" data-open="${drawing}" data-path="${path}">Objective<span class="count"> ${nodes} ${nodes === 1 ? "node" : "nodes"}</span></button>`
  }${
    program === undefined
      ? undefined
      : html` <button type="button" data-open="${program}" data-path="${path} › program">Program<span class="count"> ${kernels.toLocaleString("en-US")} kernels</span></button>`
  }</li>`
}

export interface DetailParts {
  readonly id: string
  readonly name: string
  readonly facts: NodeFacts | undefined
  readonly stage?: StageStory
  readonly functions?: ReadonlyArray<FunctionLinks>
  /** The section with the stage's curves and samples. */
  readonly section?: string | undefined
}

export const detail = ({ id, name, facts, stage, functions = [], section }: DetailParts): Html => {
  const config =
    facts === undefined
      ? []
      : leaves(facts.config).flatMap(([path, text]) => (path === "" ? [] : [[path, cut(text)] as const]))
  const inputs = Object.entries(facts?.inputs ?? {}).map(
    ([port, { from, what }]) =>
      [
        port,
        html`<span class="mono">${from}</span>${what === undefined ? undefined : html` <span class="soft">${what}</span>`}`,
      ] as const,
  )
  const digests = Object.entries(stage?.digests ?? {}).map(
    ([port, digest]) => [port, html`<code class="whole">${digest}</code>`] as const,
  )
  return html`<article class="detail" id="${id}" tabindex="-1" aria-labelledby="${id}-name">
<header><h3 id="${id}-name">${name}</h3>${
    stage === undefined ? undefined : html`<span class="tag ${stage.status}">${stateWords[stage.status]}</span>`
  }<button type="button" class="close" aria-label="Close the details of ${name}">Close</button></header>
<p class="mono soft">${facts?.type ?? stage?.node ?? ""}</p>
${facts?.source === undefined ? undefined : html`<p class="source">${facts.source}</p>`}
${stage?.error === undefined || stage.status !== "failed" ? undefined : html`<pre class="wrong">${stage.error}</pre>`}
${stage === undefined ? undefined : rows(measures(stage))}
${section === undefined ? undefined : html`<p><a href="#${section}">Curves, samples and notes</a></p>`}
${functions.length === 0 ? undefined : block("Runs on tensors", html`<ul class="functions">${functions.map((one) => functionRow(name, one))}</ul>`)}
${inputs.length === 0 ? undefined : block("Inputs", rows(inputs))}
${digests.length === 0 ? undefined : block("Outputs, SHA-256", rows(digests))}
${config.length === 0 ? undefined : block("Config", rows(config))}
</article>`
}

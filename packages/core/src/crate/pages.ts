/** The pages of a crate that people read: what it is, where its data come from, what its weights are. */
import type { RunMetric } from "../runs/runMetrics.js"
import { type CheckedLaws, verdictText } from "./checkedLaws.js"
import type { Flow, FlowStage } from "./flow.js"
import { placeText } from "./placeText.js"
import { type DataSet, momentOf, type RunRecord } from "./record.js"
import { settingsOf } from "./settings.js"

const number = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value)

/** A cell of a Markdown table, or a text of a list: no markup of its own. */
const cell = (text: string): string =>
  text.replaceAll(/[\r\n]+/g, " ").replaceAll(/[|\\`*_<>[\]]/g, (mark) => `\\${mark}`)

/** A text in YAML, whatever it holds. */
const yaml = (text: string): string => JSON.stringify(text)

/** Hugging Face has names of its own for licences, which are those of SPDX in lower case. */
const licenseLines = (license: string): ReadonlyArray<string> => {
  const name = /^https:\/\/spdx\.org\/licenses\/([A-Za-z0-9.+-]+)$/.exec(license)?.[1]
  return name === undefined
    ? ["license: other", `license_name: ${yaml(license)}`]
    : [`license: ${name.toLowerCase()}`, `license_link: ${license}`]
}

export const attributionPage = (dataSets: ReadonlyArray<DataSet>, license: string): string =>
  [
    "# Attribution",
    "",
    `Licence of this crate: ${cell(license)}`,
    "",
    dataSets.length === 0
      ? "No stage of the run told of data from elsewhere."
      : "The run used these data. What was learnt from them is under their terms too, where those say so.",
    "",
    ...dataSets.map(({ stage, source, license: terms }) =>
      terms === source
        ? `- ${cell(source)} (stage \`${cell(stage)}\`)`
        : `- ${cell(source)} (stage \`${cell(stage)}\`; licence: ${cell(terms)})`,
    ),
    "",
  ].join("\n")

/** A model card as Hugging Face reads it: front matter in YAML, then text. */
export const modelCard = (
  record: RunRecord,
  { name, node }: FlowStage,
  kind: string,
  dataSets: ReadonlyArray<DataSet>,
  metrics: ReadonlyArray<RunMetric>,
  license: string,
): string => {
  const own = metrics.filter(({ stage }) => stage === name)
  return [
    "---",
    "library_name: millrace",
    ...licenseLines(license),
    "tags:",
    "- millrace",
    ...[...new Set([kind, record.graph.name])].map((tag) => `- ${yaml(tag)}`),
    "---",
    "",
    `# ${cell(record.graph.name)}: ${cell(name)}`,
    "",
    `Weights of kind ${cell(kind)}, made by the stage \`${cell(name)}\` (${cell(`${node.type}@${node.version}`)}) of the graph ` +
      `\`${cell(record.graph.name)}\` in run ${cell(record.id)} with seed ${cell(String(record.environment.seed))}.`,
    ...(node.source === undefined ? [] : ["", `Follows ${cell(node.source)}.`]),
    "",
    "Trained for an experiment; not meant for anything else. The crate that this card is in has the graph, the data's origins, every",
    "number of the run, and the command that makes these very bytes again.",
    "",
    "## Data",
    "",
    ...(dataSets.length === 0 ? ["None from elsewhere."] : dataSets.map(({ source }) => `- ${cell(source)}`)),
    "",
    "## Settings",
    "",
    "| setting | value |",
    "| --- | --- |",
    ...settingsOf(node.config).map(([path, value]) => `| ${cell(path)} | ${cell(String(value))} |`),
    ...(own.length === 0
      ? []
      : [
          "",
          "## Measured",
          "",
          "| number | value |",
          "| --- | --- |",
          ...own.map(({ name, value }) => `| ${cell(name)} | ${number(value)} |`),
        ]),
    "",
  ].join("\n")
}

export interface ReadmeInput {
  readonly record: RunRecord
  readonly flow: Flow
  readonly metrics: ReadonlyArray<RunMetric>
  /** Stages whose programs cannot be told before a run, with the reason. */
  readonly without: ReadonlyArray<readonly [stage: string, reason: string]>
  readonly laws: CheckedLaws | undefined
  readonly dataSets: ReadonlyArray<DataSet>
}

const dataLine = (dataSets: ReadonlyArray<DataSet>): string => {
  const without = dataSets.filter(({ whole, files }) => whole !== true && files === undefined)
  const there = without.length === 0 ? "the files that they were made of" : "the data themselves are not here"
  return `- \`data/\`: Croissant descriptions of the data; ${there}`
}

const listed = (title: string, items: ReadonlyArray<string>): ReadonlyArray<string> =>
  items.length === 0 ? [] : [title, "", ...items.map((item) => `- ${item}`), ""]

const lawLines = ({ laws, without = [] }: CheckedLaws): ReadonlyArray<string> => [
  ...listed(
    "**Laws that do not hold**, with counterexamples in `laws.json`:",
    laws.flatMap(({ verdict, node, places, law }) =>
      verdict === "broken" ? [`${cell(places[0])} (${cell(node)}): ${cell(law)}`] : [],
    ),
  ),
  ...listed(
    "Nodes whose laws were not tried:",
    without.map(({ place, reason }) => `${cell(place)}: ${cell(reason)}`),
  ),
]

export const readmePage = ({ record, flow, metrics, without, laws, dataSets }: ReadmeInput): string =>
  [
    `# ${cell(record.graph.name)}, run ${cell(record.id)}`,
    "",
    `A run of ${flow.stages.length} stages with seed ${cell(String(record.environment.seed))}, begun ${momentOf(record, 0)}, ${record.story.status} after ` +
      `${number(record.story.seconds)} s on ${cell(placeText(record.environment))}. Graph ${record.hash.slice(0, 12)}.`,
    "",
    "- `ro-crate-preview.html`: the report; open it in a browser",
    "- `graph.json`: every node with its version, settings and wires",
    "- `artifacts/`: what each stage made; weights are safetensors, each with a card",
    "- `programs/`: what the stages compute, as ONNX; node names are paths in the graph. Weights are inputs: they are in `artifacts/`",
    ...(dataSets.length === 0 ? [] : [dataLine(dataSets)]),
    "- `metrics.json`: the numbers, and how near a run elsewhere must come",
    laws === undefined
      ? "- laws of the nodes were not checked"
      : `- \`laws.json\`: laws of the nodes: ${verdictText(laws)}`,
    "- `prov.json`: which stage used and made what, in PROV-JSON",
    "- `manifest-sha256.txt`: `sha256sum -c manifest-sha256.txt`",
    "- `ATTRIBUTION.md`: where the data come from, and their licences",
    "",
    "    millrace verify <this crate>       # every byte, without running anything",
    "    millrace reproduce <this crate>    # runs it again and compares",
    "",
    ...(laws === undefined ? [] : lawLines(laws)),
    ...listed(
      "Programs that cannot be told before a run:",
      without.map(([stage, reason]) => `${cell(stage)}: ${cell(reason)}`),
    ),
    ...(metrics.length === 0
      ? []
      : [
          "| stage | number | value |",
          "| --- | --- | --- |",
          ...metrics.map(({ stage, name, value }) => `| ${cell(stage)} | ${cell(name)} | ${number(value)} |`),
          "",
        ]),
  ].join("\n")

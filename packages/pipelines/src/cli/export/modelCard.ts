/** The README of exported weights, as Hugging Face reads it: front matter, then text. */
import { type RunFacts, type RunMetric, runMetrics, showNumber } from "@millrace/core"
import { Effect } from "effect"
import { failed } from "../exit.js"
import { settingLines } from "../settingLines.js"
import type { MadeArtifact } from "./madeArtifact.js"

/** A cell of a Markdown table: no markup of its own. */
const cell = (text: string): string =>
  text.replaceAll(/[\r\n]+/g, " ").replaceAll(/[|\\`*_<>[\]]/g, (mark) => `\\${mark}`)

const table = (head: string, rows: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : ["", `| ${head} | value |`, "| --- | --- |", ...rows.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`)]

const numbers = (metrics: ReadonlyArray<RunMetric>, stage: string): ReadonlyArray<readonly [string, string]> =>
  metrics.filter((metric) => metric.stage === stage).map(({ name, value }) => [name, showNumber(value)] as const)

/**
 * What the weights are, where they come from, and how they are read.
 * @param use  how they are read, one paragraph a line
 */
export const modelCard = (run: RunFacts, made: MadeArtifact, use: ReadonlyArray<string>) =>
  Effect.map(runMetrics(run).pipe(Effect.mapError(failed)), (metrics): Uint8Array => {
    const { stage, kind, node, digest } = made
    const settings =
      run.nodes === undefined ? [] : settingLines(run.nodes).filter(([path]) => path.startsWith(`${stage}.`))
    const lines = [
      "---",
      "library_name: millrace",
      "tags:",
      "- millrace",
      `- ${JSON.stringify(kind)}`,
      `- ${JSON.stringify(run.graph)}`,
      "---",
      "",
      `# ${cell(run.graph)}: ${cell(stage)}`,
      "",
      `An artifact of kind ${cell(kind)}, made by the stage \`${cell(stage)}\` (${cell(`${node.type}@${node.version}`)}) of the graph ` +
        `\`${cell(run.graph)}\` in run ${cell(run.id)}, with seed ${cell(run.seed)} on ${cell(String(run.environment.engine ?? run.engine))}. ` +
        `SHA-256 of the artifact: ${digest}.`,
      ...(node.source === undefined ? [] : ["", `Follows ${cell(node.source)}.`]),
      ...use.flatMap((paragraph) => ["", paragraph]),
      ...table("setting", settings),
      ...table("number", numbers(metrics, stage)),
      "",
      "The licence of what was learnt from data is the data's own, where it says so: the run's report names them.",
      "",
    ]
    return new TextEncoder().encode(lines.join("\n"))
  })

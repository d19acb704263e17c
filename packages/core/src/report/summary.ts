/** A run as plain text: what `cat SUMMARY.txt` should tell. */
import { showNumber, showSeconds } from "./number.js"
import type { RunStory, StageStory } from "./story.js"
import { printable, textTable } from "./textTable.js"

const lineOf = (stage: StageStory, width: number): string => {
  const values = Object.entries(stage.last)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${showNumber(value)}`)
  const steps = stage.step === 0 ? [] : [`${stage.step} of ${stage.steps} steps`]
  const time = stage.status === "waiting" ? [] : [showSeconds(stage.seconds)]
  const state = stage.status === "waiting" ? "not started" : stage.status
  return `  ${stage.name.padEnd(width)}  ${[state, ...time, ...steps, ...values].join(", ")}`
}

/** Each title with its newest file. */
const imagesOf = (stage: StageStory): ReadonlyArray<string> => {
  const lines = [...stage.images].flatMap(([title, { count, grids }]) => {
    const newest = grids.at(-1)?.grid
    const name = printable(title).replaceAll("\n", " ")
    return newest === undefined
      ? []
      : [`  ${name}: ${printable(newest.file)}${count === 1 ? "" : ` (the last of ${count})`}`]
  })
  return lines.length === 0 ? [] : ["", `Images of ${stage.name}`, ...lines]
}

/** The summary of a run. It has durations in it, and so is no part of any digest. */
export const summaryOf = (graph: string, seed: string, engine: string, story: RunStory): string => {
  const stages = [...story.stages.values()]
  const width = Math.max(0, ...stages.map(({ name }) => name.length))
  const errors = stages.flatMap(({ name, status, error }) =>
    status === "failed" && error !== undefined ? ["", `${name} failed:`, error] : [],
  )
  const tables = stages.flatMap((stage) => [...stage.tables.values()].flatMap((table) => ["", textTable(table)]))
  return [
    `${graph}: run ${story.run} ${story.status} after ${showSeconds(story.seconds)}`,
    `seed ${seed}, engine ${engine}, graph ${story.graph.slice(0, 12)}`,
    "",
    ...stages.map((stage) => lineOf(stage, width)),
    ...errors,
    ...tables,
    ...stages.flatMap(imagesOf),
    "",
  ].join("\n")
}

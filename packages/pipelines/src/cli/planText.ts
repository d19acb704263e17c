import { showBytes, showSeconds } from "@millrace/core"
import type { CountedStage } from "./withTensors.js"

const states: Readonly<Record<CountedStage["state"], string>> = {
  cached: "✓ cached",
  runs: "▸ runs",
  unsure: "? may run",
}

const took = ({ state, from, seconds, memory, tensors }: CountedStage): string => {
  if (state === "cached") return `run ${from} made it in ${showSeconds(seconds ?? 0)}`
  return [
    ...(seconds === undefined ? [] : [`took ${showSeconds(seconds)} the last time`]),
    ...(memory === undefined ? [] : [`${showBytes(memory)} at most`]),
    ...(tensors === undefined ? [] : [`tensors of about ${showBytes(tensors)}, by their shapes`]),
  ].join(", ")
}

/** Time and memory of what runs: what was measured the last time, and how much of it nobody has. */
const estimate = (running: ReadonlyArray<CountedStage>): string => {
  const seconds = running.reduce((sum, one) => sum + (one.seconds ?? 0), 0)
  const untimed = running.filter((one) => one.seconds === undefined).length
  const memory = Math.max(0, ...running.map((one) => one.memory ?? 0))
  const tensors = Math.max(0, ...running.map((one) => one.tensors ?? 0))
  const unknown = running.filter((one) => one.memory === undefined && one.tensors === undefined).length
  return [
    ...(seconds > 0 ? [`about ${showSeconds(seconds)}, going by the last time`] : []),
    ...(untimed > 0 ? [`${untimed} never timed`] : []),
    ...(memory > 0 ? [`memory of ${showBytes(memory)}, going by the last time`] : []),
    ...(tensors > memory ? [`tensors of about ${showBytes(tensors)} at once`] : []),
    ...(unknown > 0 ? [`memory of ${unknown} unknown`] : []),
  ].join("; ")
}

/** A plan for a person: a line a stage, the reasons under those that run. */
export const planText = (plan: ReadonlyArray<CountedStage>): string => {
  const width = Math.max(0, ...plan.map(({ stage }) => stage.length))
  const lines = plan.flatMap((planned) => [
    `${states[planned.state].padEnd(9)}  ${planned.stage.padEnd(width)}  ${took(planned)}`.trimEnd(),
    ...planned.why.map((reason) => `${" ".repeat(11)}${reason}`),
  ])
  const running = plan.filter(({ state }) => state !== "cached")
  const rest = running.length === 0 ? "nothing runs" : estimate(running)
  return [...lines, "", `${plan.length - running.length} of ${plan.length} stages are cached; ${rest}`].join("\n")
}

import { type PlannedStage, showSeconds } from "@millrace/core"

const states: Readonly<Record<PlannedStage["state"], string>> = {
  cached: "✓ cached",
  runs: "▸ runs",
  unsure: "? may run",
}

const took = ({ state, from, seconds }: PlannedStage): string => {
  if (state === "cached") return `run ${from} made it in ${showSeconds(seconds ?? 0)}`
  return seconds === undefined ? "" : `took ${showSeconds(seconds)} the last time`
}

/** A plan for a person: a line a stage, the reasons under those that run. */
export const planText = (plan: ReadonlyArray<PlannedStage>): string => {
  const width = Math.max(0, ...plan.map(({ stage }) => stage.length))
  const lines = plan.flatMap((planned) => [
    `${states[planned.state].padEnd(9)}  ${planned.stage.padEnd(width)}  ${took(planned)}`.trimEnd(),
    ...planned.why.map((reason) => `${" ".repeat(11)}${reason}`),
  ])
  const cached = plan.filter(({ state }) => state === "cached").length
  const seconds = plan.reduce((sum, { state, seconds }) => sum + (state === "cached" ? 0 : (seconds ?? 0)), 0)
  const unknown = plan.filter((one) => one.state !== "cached" && one.seconds === undefined).length
  const rest =
    cached === plan.length
      ? "nothing runs"
      : [
          ...(seconds > 0 ? [`about ${showSeconds(seconds)}, going by the last time`] : []),
          ...(unknown > 0 ? [`${unknown} never timed`] : []),
        ].join("; ")
  return [...lines, "", `${cached} of ${plan.length} stages are cached; ${rest}`].join("\n")
}

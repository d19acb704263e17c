/** What looks at folders of runs: nothing that defines, draws or runs a graph is loaded. */

export { lookAt } from "../disk/files.js"
export { BadData, type DiskFailed } from "../errors.js"
export type { GraphJson } from "../graph/encode.js"
export { leaves } from "../report/leaves.js"
export { showNumber, showSeconds } from "../report/number.js"
export type { RunStory, StageStory } from "../report/story.js"
export { printable, textTable } from "../report/textTable.js"
export { claimRun } from "../run/claimRun.js"
export type { RunOrigin } from "../run/runJson.js"
export { didYouMean } from "../suggest.js"
export type { Difference } from "./difference.js"
export { differenceText, valueText } from "./differenceText.js"
export {
  type ComparedRun,
  diffRuns,
  type MetricDifference,
  type RunDifference,
  type StageDifference,
} from "./diffRuns.js"
export { environmentDifferences } from "./environmentDifferences.js"
export { listRuns, runIds } from "./listRuns.js"
export { removeRun } from "./removeRun.js"
export { type Damage, damageText, isRunFolder, type RunFacts, readRunFacts } from "./runFacts.js"
export { measuredBy, type RunMetric, runMetrics } from "./runMetrics.js"

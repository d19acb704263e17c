/** The one number by which runs of a graph are told apart in a list. */
import { type DiskFailed, measuredBy, type RunFacts, type RunMetric } from "@millrace/core/runs"
import { Effect } from "effect"

/** Of the evaluations that come with Millrace: node type -> their main number. The last name that fits is taken. */
const main: Readonly<Record<string, RegExp>> = {
  "instructgpt.evaluate": /^ppo\.gold$/,
  "clip.evaluate": /^heldOut\.zero-shot@1$/,
  "dalle.evaluate": /\.everything\.\d+$/,
  "dalle2.evaluatePrior": /^prior\.cosine$/,
}

/**
 * Of the last stage that measured something, its main number, or its first where none is known. A stage whose main number is known
 * goes before the others.
 */
export const headline = (run: RunFacts): Effect.Effect<RunMetric | undefined, DiskFailed> =>
  Effect.gen(function* () {
    let first: RunMetric | undefined
    for (const stage of [...run.story.stages.values()].reverse()) {
      const measured = yield* measuredBy(run, stage)
      const pattern = main[stage.node.split("@")[0] ?? ""]
      const known = pattern === undefined ? undefined : measured.filter(([name]) => pattern.test(name)).at(-1)
      if (known !== undefined) return { stage: stage.name, name: known[0], value: known[1] }
      const [one] = measured
      if (one !== undefined) first ??= { stage: stage.name, name: one[0], value: one[1] }
    }
    return first
  })

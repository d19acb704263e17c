/** The one number by which runs of a graph are told apart in a list. */
import { type DiskFailed, measuredBy, type RunFacts, type RunMetric } from "@millrace/core/runs"
import { Effect } from "effect"

/** Of the evaluations that come with Millrace: node type -> their main number, of several the one with the largest number in its name. */
const main: Readonly<Record<string, RegExp>> = {
  "instructgpt.evaluate": /^ppo\.gold$/,
  "clip.evaluate": /^shifted\.zero-shot@(1)$/,
  "dalle.evaluate": /^held out\.all that the caption says\.(\d+)$/,
  "dalle2.evaluatePrior": /^prior\.cosine$/,
}

type Numbers = ReadonlyArray<readonly [name: string, value: number]>

const mainOf = (node: string, measured: Numbers): Numbers[number] | undefined => {
  const pattern = main[node.split("@")[0] ?? ""]
  if (pattern === undefined) return undefined
  const found = measured.flatMap((one) => {
    const match = pattern.exec(one[0])
    return match === null ? [] : [{ one, size: Number(match[1] ?? 0) }]
  })
  return found.toSorted((a, b) => b.size - a.size)[0]?.one
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
      const known = mainOf(stage.node, measured)
      if (known !== undefined) return { stage: stage.name, name: known[0], value: known[1] }
      const [one] = measured
      if (one !== undefined) first ??= { stage: stage.name, name: one[0], value: one[1] }
    }
    return first
  })

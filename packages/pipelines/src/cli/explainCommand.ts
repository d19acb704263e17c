/** `millrace explain`: what a run would take from the store and what it would run, and why. */
import { BadData, didYouMean, type EngineName, stageNames } from "@millrace/core"
import { Effect, Option } from "effect"
import type { Ended } from "./exit.js"
import { usage } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { loadGraph } from "./loadGraph.js"
import { planFor } from "./planFor.js"
import { planText } from "./planText.js"
import { print } from "./print.js"
import { withSettings } from "./settings.js"
import { withTensors } from "./withTensors.js"

export interface ExplainArguments {
  readonly graph: string
  readonly stage: Option.Option<string>
  readonly preset: Option.Option<string>
  readonly set: ReadonlyArray<string>
  readonly seed: string
  readonly engine: EngineName
  readonly out: string
  readonly json: boolean
}

/** @fails Ended  2 usage, 3 graph invalid, 1 the store cannot be read or the engine does not start */
export const explainCommand = (given: ExplainArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const loaded = yield* loadGraph(given.graph, given.preset)
    const graph = yield* withSettings(loaded.graph, loaded.registry, given.set)
    const names = stageNames(graph)
    const wanted = Option.getOrUndefined(given.stage)
    if (wanted !== undefined && !names.includes(wanted)) {
      return yield* usage(
        new BadData({
          where: "stage",
          expected: `a stage of ${graph.name}`,
          received: `"${wanted}"`,
          fix: didYouMean(wanted, names),
        }),
      )
    }
    const plan = yield* planFor(graph, given)
    const asked = plan.filter(({ stage }) => wanted === undefined || stage === wanted)
    const shown = withTensors(graph, asked)
    yield* print(given.json ? jsonText(shown) : planText(shown))
  })

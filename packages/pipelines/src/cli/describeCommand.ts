/** `millrace describe`: a graph, or a model of a paper, as text or as data. */
import { isPaperName } from "@millrace/models/paperNames"
import { Effect, Option } from "effect"
import { builtIn } from "./builtIn.js"
import { describeGraph } from "./describe.js"
import { describeJson } from "./describeJson.js"
import type { Described } from "./describeModel.js"
import type { Ended } from "./exit.js"
import { jsonText } from "./jsonText.js"
import { loadGraph } from "./loadGraph.js"
import { noSize } from "./noSize.js"
import { print } from "./print.js"
import { withSettings } from "./settings.js"

export interface DescribeArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly set: ReadonlyArray<string>
  readonly size: Option.Option<string>
  readonly json: boolean
}

const modelOf = (name: string, size: Option.Option<string>): Effect.Effect<Described, Ended> =>
  // The models are many: a graph is described without them.
  Effect.flatMap(
    Effect.promise(() => import("./describeModel.js")),
    ({ describeModel }) => describeModel(name, size),
  )

/**
 * CLIP is a model and a graph: with a size the model is meant, with a preset or settings the graph, with none of them both.
 * @fails Ended  2 usage, 3 graph invalid
 */
export const describeCommand = ({ graph, preset, set, size, json }: DescribeArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const asGraph = Option.isSome(preset) || set.length > 0
    const asModel = isPaperName(graph) && !asGraph
    if (asModel && (Option.isSome(size) || !Object.hasOwn(builtIn, graph))) {
      const model = yield* modelOf(graph, size)
      return yield* print(json ? jsonText(model.json()) : model.text())
    }
    yield* noSize(graph, size)
    const loaded = yield* loadGraph(graph, preset)
    const found = yield* withSettings(loaded.graph, loaded.registry, set)
    const model = asModel ? yield* modelOf(graph, size) : undefined
    yield* print(
      json
        ? jsonText({ graph: describeJson(found), ...model?.json() })
        : [describeGraph(found), ...(model === undefined ? [] : [model.text()])].join("\n"),
    )
  })

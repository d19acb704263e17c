/** `millrace describe`: a graph, or a model of a paper, as text. */
import { isPaperName } from "@millrace/models/paperNames"
import { Effect, Option } from "effect"
import { builtIn } from "./builtIn.js"
import { describeGraph } from "./describe.js"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { noSize } from "./noSize.js"
import { print } from "./print.js"
import { withSettings } from "./settings.js"

export interface DescribeArguments {
  readonly graph: string
  readonly preset: Option.Option<string>
  readonly set: ReadonlyArray<string>
  readonly size: Option.Option<string>
}

const modelText = (name: string, size: Option.Option<string>): Effect.Effect<string, Ended> =>
  // The models are many: a graph is described without them.
  Effect.flatMap(
    Effect.promise(() => import("./describeModel.js")),
    ({ describeModel }) => describeModel(name, size),
  )

/**
 * CLIP is a model and a graph: with a size the model is meant, with a preset or settings the graph, with none of them both.
 * @fails Ended  2 usage, 3 graph invalid
 */
export const describeCommand = ({ graph, preset, set, size }: DescribeArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    const asGraph = Option.isSome(preset) || set.length > 0
    const asModel = isPaperName(graph) && !asGraph
    if (asModel && (Option.isSome(size) || !Object.hasOwn(builtIn, graph))) {
      return yield* print(yield* modelText(graph, size))
    }
    yield* noSize(graph, size)
    const loaded = yield* loadGraph(graph, preset)
    const text = describeGraph(yield* withSettings(loaded.graph, loaded.registry, set))
    yield* print(asModel ? `${text}\n${yield* modelText(graph, size)}` : text)
  })

/** `millrace describe`: a graph, or a model of a paper, as text. */
import { isPaperName } from "@millrace/models/paperNames"
import { Effect, type Option } from "effect"
import { describeGraph } from "./describe.js"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"
import { noSize } from "./noSize.js"
import { print } from "./print.js"
import { withSettings } from "./settings.js"

export interface DescribeArguments {
  readonly graph: string
  readonly set: ReadonlyArray<string>
  readonly size: Option.Option<string>
}

/** @fails Ended  2 usage, 3 graph invalid */
export const describeCommand = ({ graph, set, size }: DescribeArguments): Effect.Effect<void, Ended> =>
  Effect.gen(function* () {
    if (isPaperName(graph)) {
      // The models are many: a graph is described without them.
      const { describeModel } = yield* Effect.promise(() => import("./describeModel.js"))
      return yield* print(yield* describeModel(graph, size))
    }
    yield* noSize(graph, size)
    const loaded = yield* loadGraph(graph)
    yield* print(describeGraph(yield* withSettings(loaded.graph, loaded.registry, set)))
  })

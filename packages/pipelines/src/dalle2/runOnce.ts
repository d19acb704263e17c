/** A tensor graph without parameters, run once on the engine. */
import { Engine, forward, type Graph, type HostTensors, objectiveOf, spec } from "@millrace/core"
import { Effect } from "effect"

export const runOnce = (network: Graph, inputs: HostTensors) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const specs = Object.fromEntries(
        Object.entries(inputs).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)]),
      )
      const executable = yield* engine.compile(forward(objectiveOf(network), specs, {}))
      return yield* executable.run({ state: {}, inputs })
    }),
  )

/** A tensor function that holds nothing, run once on the engine. */
import {
  Engine,
  forward,
  type Graph,
  type HostTensors,
  objectiveOf,
  type Specs,
  spec,
  type TensorFunction,
} from "@millrace/core"
import { Effect } from "effect"

/** @param of  the function, of the types of its inputs */
export const runOnce = (of: (inputs: Specs) => TensorFunction, inputs: HostTensors) =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      const specs = Object.fromEntries(
        Object.entries(inputs).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)]),
      )
      const executable = yield* engine.compile(of(specs))
      return yield* executable.run({ state: {}, inputs })
    }),
  )

/** A graph without parameters as a function. */
export const applying =
  (network: Graph) =>
  (inputs: Specs): TensorFunction =>
    forward(objectiveOf(network), inputs, {})

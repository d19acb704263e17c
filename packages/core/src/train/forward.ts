/** An objective without its gradient, as a tensor function: for scoring, and for experience in reinforcement learning. */
import type { TensorFunction } from "../engine.js"
import { BadConfig } from "../errors.js"
import type { Objective } from "../objective.js"
import { type Specs, spec } from "../tensor.js"

/**
 * The forward pass of an objective.
 * @param inputs  types of the objective's inputs
 * @param slots   where its parameters are: slot -> what their names begin with (`{ policy: "policy." }`); `""` takes all
 * @throws BadConfig  a parameter that no slot holds
 */
export const forward = (
  objective: Objective,
  inputs: Specs,
  slots: Readonly<Record<string, string>> = { params: "" },
): TensorFunction => {
  const slotOf = (name: string): string | undefined =>
    Object.entries(slots).find(([, prefix]) => name.startsWith(prefix))?.[0]
  const state: Record<string, Record<string, ReturnType<typeof spec>>> = Object.fromEntries(
    Object.keys(slots).map((slot) => [slot, {}]),
  )
  for (const [name, { shape }] of Object.entries(objective.paramSpecs)) {
    const slot = slotOf(name)
    if (slot === undefined) {
      throw new BadConfig({
        where: objective.name,
        expected: `a slot for the parameter ${name}`,
        received: `slots for names that begin with ${Object.values(slots).join(", ")}`,
        fix: "name a slot whose prefix fits",
      })
    }
    state[slot]![name] = spec("float32", shape)
  }
  return {
    name: objective.name,
    state,
    inputs,
    body: (held, given) => ({ outputs: objective.apply(Object.assign({}, ...Object.values(held)), given) }),
  }
}

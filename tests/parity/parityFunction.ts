import type { Tensors } from "@millrace/core"
import type { Schema } from "effect"
import { type ParityModel, parityModel } from "./parity.js"

/** A function without parameters in the models' place: its outputs and the gradients by its inputs are compared. */
export const parityFunction = <C>(
  about: Omit<ParityModel, "build" | "tolerance"> & {
    readonly tolerance?: ParityModel["tolerance"]
    readonly config: Schema.Codec<C, unknown>
    readonly apply: (config: C, inputs: Tensors) => Tensors
  },
): ParityModel =>
  parityModel<C, Record<never, never>>({
    ...about,
    params: () => ({}),
    table: () => ({ name: "none", renames: [] }),
    apply: (config, _, inputs) => about.apply(config, inputs),
  })

/** What changes along half a cosine over the updates of a stage, as config. */
import { Schema } from "effect"
import { Count, PositiveOrZero } from "../ranges.js"

/** From one value to another, there after so many updates: `cosineRamp` of the models. */
export const Ramp = Schema.Struct({ from: PositiveOrZero, to: PositiveOrZero, updates: Count })
export type Ramp = typeof Ramp.Type

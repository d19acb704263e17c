/** Numbers with a range, for configs: what makes no sense is refused before a stage runs. */
import { Schema } from "effect"

/** 1, 2, 3, … */
export const Count = Schema.Int.check(Schema.isGreaterThan(0))
/** 0, 1, 2, … */
export const CountOrZero = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
export const Positive = Schema.Number.check(Schema.isGreaterThan(0))
export const PositiveOrZero = Schema.Number.check(Schema.isGreaterThanOrEqualTo(0))
/** From 0 to 1, both included. */
export const Fraction = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** What configs say of sizes. */
import { Schema } from "effect"

/** A whole number above 0. */
export const Size = Schema.Int.check(Schema.isGreaterThan(0))

/** For a schema: whether the heads divide the width. */
export const headsDivide = ({ width, heads }: { readonly width: number; readonly heads: number }) =>
  width % heads === 0 ? undefined : `width ${width} must be a multiple of heads ${heads}`

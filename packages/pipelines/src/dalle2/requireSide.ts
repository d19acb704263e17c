/** A network's images are as large as those of the data, or a whole part of them. */
import { ShapeMismatch } from "@millrace/core"
import { Effect } from "effect"

/** @fails ShapeMismatch  a side that does not divide that of the images */
export const requireSide = (where: string, size: number, side: number): Effect.Effect<void, ShapeMismatch> =>
  size % side === 0
    ? Effect.void
    : new ShapeMismatch({
        where,
        expected: `images whose sides are a multiple of ${side}, the network's`,
        received: `images of ${size} × ${size}`,
        fix: "make images of another size, or the network for another one",
      })

/** Sums of squares, with L2Loss. */
import * as tf from "@tensorflow/tfjs-core"
import type { Row } from "./row.js"

/** L2Loss is half of it, in one pass. */
export const sumOfSquaresRow: Row = {
  name: "SumOfSquares",
  raw: ["L2Loss"],
  fused: (raw) => {
    return ([x]) => [tf.mul(raw("L2Loss", [x!])[0]!, 2)]
  },
}

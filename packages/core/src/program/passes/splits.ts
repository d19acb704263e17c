/** A split along the last axis needs no other shape: the reshape before it moves behind it, to meet what comes there. */
import { numberOf } from "../shapes.js"
import type { Rule } from "./rewrite.js"

export const splits: Rule = (equation, { producer, once, fresh }) => {
  const { op, inputs, attrs, outputs, path } = equation
  const from = inputs[0] === undefined ? undefined : producer(inputs[0])
  if (op !== "SplitV" || from?.op !== "Reshape" || !once(inputs[0]!)) return null
  const [source] = from.inputs
  const rank = source!.shape.length
  const [before, after] = [source!.shape.at(-1), inputs[0]!.shape.at(-1)]
  if (rank === 0 || before !== after || numberOf(attrs, "axis") !== inputs[0]!.shape.length - 1) return null
  const parts = outputs.map(({ dtype, shape }) =>
    fresh({ dtype, shape: [...source!.shape.slice(0, -1), shape.at(-1)!] }),
  )
  return {
    equations: [
      { ...equation, inputs: [source!], attrs: { ...attrs, axis: rank - 1 }, outputs: parts },
      ...outputs.map((output, i) => ({
        op: "Reshape",
        inputs: [parts[i]!],
        attrs: { shape: output.shape },
        outputs: [output],
        path,
      })),
    ],
  }
}

/** A sum with the gradient of a table is made in place: rows that no id names are not touched. */
import type { Rule } from "./rewrite.js"

export const embeddings: Rule = (equation, { producer, once }) => {
  if (equation.op !== "Add") return null
  for (const [sums, onto] of [equation.inputs, equation.inputs.toReversed()]) {
    const made = producer(sums!)
    if (made?.op !== "EmbedGrad" || made.inputs.length > 2 || !once(sums!)) continue
    if (String(onto!.shape) !== String(sums!.shape)) continue
    return { equations: [{ ...made, inputs: [...made.inputs, onto!], outputs: equation.outputs }] }
  }
  return null
}

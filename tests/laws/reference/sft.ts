import { maskedMeanReference, type Rows } from "./masked.js"

/** −log softmax(logits)[token]. */
export const crossEntropyReference = (logits: ReadonlyArray<number>, token: number): number => {
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit)
  return Math.log(sum) - logits[token]!
}

/** Logits [b][t][v]; position t predicts token t + 1. */
export const sftReference = (
  logits: ReadonlyArray<Rows>,
  tokens: Rows,
  mask: Rows,
  normaliser: "token-mean" | "sequence-mean" | "sequence-sum",
): number =>
  maskedMeanReference(
    tokens.map((row, b) =>
      row.slice(1).map((token, t) => (mask[b]![t + 1] === 1 ? crossEntropyReference(logits[b]![t]!, token) : 0)),
    ),
    mask.map((row) => row.slice(1)),
    normaliser,
  )

/** Plain loops in float64, as the definitions read. Masks are rows of 0 and 1. */
export type Rows = ReadonlyArray<ReadonlyArray<number>>

export const maskedMeanReference = (
  x: Rows,
  mask: Rows,
  normaliser: "token-mean" | "sequence-mean" | "sequence-sum",
): number => {
  let [allTokens, allSum, sequences, meanSum, sumSum] = [0, 0, 0, 0, 0]
  x.forEach((row, b) => {
    let [tokens, sum] = [0, 0]
    row.forEach((value, t) => {
      if (mask[b]![t] !== 1) return
      tokens += 1
      sum += value
    })
    if (tokens === 0) return
    sequences += 1
    allTokens += tokens
    allSum += sum
    meanSum += sum / tokens
    sumSum += sum
  })
  if (sequences === 0) return 0
  return { "token-mean": allSum / allTokens, "sequence-mean": meanSum / sequences, "sequence-sum": sumSum / sequences }[
    normaliser
  ]
}

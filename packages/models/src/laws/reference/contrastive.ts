/** The symmetric contrastive loss in plain loops and float64. */

export type Matrix = ReadonlyArray<ReadonlyArray<number>>

const logSumExp = (x: ReadonlyArray<number>): number => {
  const top = Math.max(...x)
  return top + Math.log(x.reduce((sum, v) => sum + Math.exp(v - top), 0))
}

const column = (m: Matrix, j: number): ReadonlyArray<number> => m.map((row) => row[j]!)

/** ½ Σ over rows and columns of −log softmax at the diagonal, divided by their number. */
export const matchingReference = (logits: Matrix): number =>
  logits.reduce((sum, row, i) => sum + logSumExp(row) + logSumExp(column(logits, i)) - 2 * row[i]!, 0) /
  (2 * logits.length)

/** (softmax of rows + softmax of columns − 2 · identity) / 2b. */
export const matchingGradient = (logits: Matrix): Array<Array<number>> =>
  logits.map((row, i) =>
    row.map((s, j) => {
      const [ofRow, ofColumn] = [Math.exp(s - logSumExp(row)), Math.exp(s - logSumExp(column(logits, j)))]
      return (ofRow + ofColumn - (i === j ? 2 : 0)) / (2 * logits.length)
    }),
  )

export const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)

const unit = (x: ReadonlyArray<number>): ReadonlyArray<number> => x.map((v) => v / Math.sqrt(dot(x, x)))

/** e^t · cosines. */
export const scaledCosines = (images: Matrix, texts: Matrix, t: number): Array<Array<number>> =>
  images.map((image) => texts.map((text) => Math.exp(t) * dot(unit(image), unit(text))))

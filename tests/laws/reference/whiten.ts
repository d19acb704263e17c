import type { Rows } from "./masked.js"

export const whitenReference = (
  x: Rows,
  mask: Rows,
  { shiftMean, variance, epsilon = 1e-8 }: { shiftMean: boolean; variance: "biased" | "unbiased"; epsilon?: number },
): Array<Array<number>> => {
  const kept = x.flatMap((row, b) => row.filter((_, t) => mask[b]![t] === 1))
  let mean = 0
  for (const value of kept) mean += value / kept.length
  let squares = 0
  for (const value of kept) squares += (value - mean) ** 2
  const sd = Math.sqrt(squares / Math.max(1, variance === "biased" ? kept.length : kept.length - 1) + epsilon)
  return x.map((row, b) =>
    row.map((value, t) => (mask[b]![t] === 1 ? (value - mean) / sd + (shiftMean ? 0 : mean) : 0)),
  )
}

/** Indices below `count`, evenly spaced and at most so many. */
export const spread = (count: number, most: number): ReadonlyArray<number> => {
  const n = Math.min(count, most)
  return Array.from({ length: n }, (_, i) => Math.floor((i * count) / n))
}

/** "Did you mean": the name among the candidates that is nearest to what was typed. */

/** Edits (insert, delete, replace, swap neighbours) from one word to another. */
const distance = (from: string, to: string): number => {
  const rows: Array<ReadonlyArray<number>> = [Array.from({ length: to.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[from.length]![to.length]!
}

/** The nearest candidate within a third of the word's length (at least 2 edits), or null. */
export const nearest = (word: string, candidates: Iterable<string>): string | null => {
  // Beyond this length nobody mistyped a name, and the table would grow with its square.
  if (word.length > 100) return null
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const d = distance(word.toLowerCase(), candidate.toLowerCase())
    if (d < bestDistance) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/** `did you mean "captions"? ` or the list of what there is. */
export const didYouMean = (word: string, candidates: ReadonlyArray<string>): string => {
  const near = nearest(word, candidates)
  if (near !== null) return `did you mean "${near}"?`
  if (candidates.length === 0) return "there is none"
  const shown = candidates.slice(0, 12).map((name) => `"${name}"`)
  return `there is ${shown.join(", ")}${candidates.length > shown.length ? ` and ${candidates.length - shown.length} more` : ""}`
}

/** Sentences of running text. */

const abbreviations = /(?:\b(?:Mr|Mrs|Ms|Dr|Gen|Col|Hon|St|No|Nos|vs|etc|Jr|Sr)|\b[A-Z])\.$/

/**
 * The sentences of a text, in order, without the space between them. A full stop after an initial or a common title
 * does not end a sentence.
 */
export const sentences = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let start = 0
  for (const { index, 0: end } of text.matchAll(/[.!?]["”’)]*\s+(?=["“‘(]?[A-Z])/g)) {
    const sentence = text.slice(start, index + end.trimEnd().length)
    if (abbreviations.test(sentence)) continue
    found.push(sentence.trim())
    start = index + end.length
  }
  const last = text.slice(start).trim()
  if (last !== "") found.push(last)
  return found
}

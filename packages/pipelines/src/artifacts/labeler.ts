/** A labeler: who judges continuations. A simulated one knows the gold score that a person's taste would be. */
import { artifactKind, canonicalJson } from "@millrace/core"

export interface Labeler {
  /** What the score is and where it comes from. */
  readonly source: string
  /** The gold score of a text; higher is better. Never shown to a model. */
  readonly score: (text: string) => number
  /** The data that decides the score, for the digest. */
  readonly data: Readonly<Record<string, number>>
}

export const labelerKind = artifactKind("labeler", ({ source, data }: Labeler) => ({
  "labeler.json": new TextEncoder().encode(canonicalJson({ source, data })),
}))

/**
 * The gold score that sums the valences of the words and phrases of a lexicon, longest phrase first. A phrase ends where
 * a sentence or a clause does.
 * @param valences  lower-case word or phrase of up to three words -> valence
 */
export const lexiconScore = (valences: Readonly<Record<string, number>>): ((text: string) => number) => {
  const lexicon = new Map(Object.entries(valences))
  return (text) => {
    // Stops are kept as words that no lexicon has, so that no phrase reaches over one.
    const words =
      text
        .toLowerCase()
        .replaceAll("’", "'")
        .match(/[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*|[.,;:!?]/gu) ?? []
    let score = 0
    for (let i = 0; i < words.length; ) {
      let length = Math.min(3, words.length - i)
      while (length > 1 && !lexicon.has(words.slice(i, i + length).join(" "))) length--
      score += lexicon.get(words.slice(i, i + length).join(" ")) ?? 0
      i += length
    }
    return score
  }
}

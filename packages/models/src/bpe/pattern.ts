import { BadLength } from "@millrace/core"

/**
 * How GPT-2 cuts text into words before it merges within them: contractions, letters, numbers, other signs, spaces.
 * Source   Radford et al. 2019, section 2.2; the expression is that of the released encoder.
 * Differs  `\s` is written out as Unicode White_Space, which the released encoder means by it; in ECMAScript `\s` would
 *          take U+FEFF in and leave U+0085 out.
 */
const SPACE = String.raw`\p{White_Space}`
const WORD = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?![^${SPACE}])|${SPACE}+`

/**
 * A cursor over the words of a text: each call gives the next, "" at the end. Together they are the text.
 * @fails  BadLength  a single word of some millions of characters, which exhausts the expression's stack
 */
export const wordsOf = (text: string): (() => string) => {
  const pattern = new RegExp(WORD, "gu")
  return () => {
    // Every character matches one of the alternatives, so words follow each other without a gap.
    const start = pattern.lastIndex
    try {
      return pattern.test(text) ? text.slice(start, pattern.lastIndex) : ""
    } catch (cause) {
      throw new BadLength({
        where: `text, character ${start}`,
        expected: "words of at most some millions of characters",
        received: "a longer run of letters or of signs",
        fix: "is this text? If it is, put spaces into the run",
        cause,
      })
    }
  }
}

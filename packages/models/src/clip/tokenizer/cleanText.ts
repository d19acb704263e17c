/**
 * How CLIP cleans a text before it reads it.
 * Source   openai/CLIP `simple_tokenizer.py`, basic_clean and whitespace_clean; the Python package ftfy, which it calls.
 * Differs  text that was decoded with the wrong encoding ("cafÃ©") is not repaired, which ftfy does by a statistical guess.
 */
import { unescapeClosed, unescapeHtml, windows1252 } from "./unescapeHtml.js"

/** Ligatures and digraphs of Latin letters, taken apart. */
const withoutLigatures = (text: string): string =>
  text.replaceAll(/[ĲĳŉǄ-ǌǱ-ǳﬀ-ﬄﬆ]/gu, (sign) => sign.normalize("NFKC")).replaceAll("ﬅ", "ſt")

/** Full-width and half-width forms in their usual width, and the ideographic space as a space. */
const inUsualWidth = (text: string): string =>
  text.replaceAll(/[\u3000\uff01-\uffef]/g, (sign) => sign.normalize("NFKC"))

/** Control characters but for white space and what shapes glyphs. */
const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  text.replaceAll(/[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g, "")

/** Colours and the like of terminals. */
const withoutEscapes = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: one begins such a sequence.
  text.replaceAll(/\x1b\[[\d;]*[a-zA-Z]/g, "")

/** What ftfy does but for its repair of encodings. */
const plain = (text: string): string => {
  const escaped = !text.includes("<")
  let fixed = text
  for (let before = ""; before !== fixed; ) {
    before = fixed
    if (escaped) fixed = unescapeClosed(fixed)
    fixed = fixed.replaceAll(/[\u0080-\u009f]/g, (sign) => windows1252[sign.charCodeAt(0) - 0x80]!)
    fixed = inUsualWidth(withoutLigatures(fixed))
      .replaceAll(/[\u02bc\u2018-\u201b]/g, "'")
      .replaceAll(/[\u201c-\u201f]/g, '"')
      .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    fixed = withoutControls(withoutEscapes(fixed)).normalize("NFC")
  }
  return fixed
}

/** A text as the tokenizer reads it: straight quotes, HTML's references replaced, single spaces, lower case. */
export const cleanText = (text: string): string =>
  unescapeHtml(unescapeHtml(plain(text)))
    // Python's white space has four separators more than Unicode's.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are these four.
    .replaceAll(/[\p{White_Space}\x1c-\x1f]+/gu, " ")
    .replaceAll(/^ | $/g, "")
    .toLowerCase()

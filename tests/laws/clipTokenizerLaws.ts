import type { ClipTokenizer } from "@millrace/models"
import fc from "fast-check"
import { expectSame, expectThat } from "./close.js"
import { size } from "./examples.js"
import { type Law, law } from "./law.js"

/** Words that the pattern keeps whole: letters of several scripts, single digits, signs. */
const letters = fc.string({ unit: fc.constantFrom(..."abcdeghlortéßяж日本"), minLength: 1, maxLength: 9 })
const word = fc.oneof(letters, fc.constantFrom("7", "½", "!", "?!", "-", "...", "😀", "@", "#$"))
const space = fc.constantFrom(" ", "  ", "\n", "\t ", " \u00a0", "\u3000", "\r\n")
const sentences = fc.record({
  words: fc.array(word, { maxLength: 8 }),
  spaces: fc.array(space, { minLength: 9, maxLength: 9 }),
  capitals: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
})
type Sentence = typeof sentences extends fc.Arbitrary<infer T> ? T : never

const upper = (text: string): string => (text.includes("ß") ? text : text.toUpperCase())
const written = ({ words, spaces, capitals }: Sentence): string =>
  words.map((each, i) => spaces[i]! + (capitals[i] ? upper(each) : each)).join("") + spaces.at(-1)
const plain = ({ words }: Sentence): string => words.join(" ")

/** What CLIP's tokenizer obeys with any vocabulary. */
export const clipTokenizerLaws = (tokenizer: ClipTokenizer): ReadonlyArray<Law> => {
  const { endOfText, startOfText, size: count } = tokenizer
  const longest = (sentence: Sentence): number => tokenizer.encode(plain(sentence)).length + 2
  return [
    law("decoding gives each word in lower case, and a space after it", sentences, (sentence) => {
      const found = tokenizer.decode(tokenizer.encode(written(sentence)))
      const expected = sentence.words.map((each) => `${each} `).join("")
      expectThat(found === expected, () => `expected ${JSON.stringify(expected)}\nreceived ${JSON.stringify(found)}`)
    }),
    law("capitals are irrelevant", sentences, (sentence) => {
      expectSame([...tokenizer.encode(upper(plain(sentence)))], [...tokenizer.encode(plain(sentence))])
    }),
    law("which and how much white space parts words is irrelevant", sentences, (sentence) => {
      const wide = written({ ...sentence, capitals: [] })
      expectSame([...tokenizer.encode(wide)], [...tokenizer.encode(plain(sentence))])
    }),
    law("two texts with a space between have the tokens of both", fc.tuple(sentences, sentences), ([a, b]) => {
      const both = [...tokenizer.encode(plain(a)), ...tokenizer.encode(plain(b))]
      expectSame([...tokenizer.encode(`${plain(a)} ${plain(b)}`)], both)
    }),
    law(
      "the end is the largest of all tokens, the start is next to it, and no text has either",
      sentences,
      (sentence) => {
        const found = [...tokenizer.encode(plain(sentence))]
        expectSame([startOfText, endOfText], [count - 2, count - 1])
        expectThat(
          found.every((id) => id >= 0 && id < startOfText),
          () => found.join(" "),
        )
      },
    ),
    law("a row is start, tokens, end and zeros", fc.tuple(sentences, size(0, 4)), ([sentence, more]) => {
      const { data } = tokenizer.rows([plain(sentence)], longest(sentence) + more)
      const expected = [startOfText, ...tokenizer.encode(plain(sentence)), endOfText]
      expectSame([...data], [...expected, ...Array.from({ length: more }, () => 0)])
    }),
    law(
      "a row that is cut keeps its first tokens, and the end",
      fc.tuple(sentences, size(1, 4)),
      ([sentence, less]) => {
        const context = Math.max(2, longest(sentence) - less)
        const { data } = tokenizer.rows([plain(sentence)], context)
        const whole = [startOfText, ...tokenizer.encode(plain(sentence)), endOfText]
        expectSame([...data], [...whole.slice(0, Math.min(context, whole.length) - 1), endOfText])
      },
    ),
  ]
}

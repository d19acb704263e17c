import { type ClipTokenizer, clipTokenizer } from "@millrace/models"
import { tokenizerFixtures } from "../fixtures/clipTokenizer.js"
import { clipTokenizerLaws } from "./clipTokenizerLaws.js"
import { verify } from "./law.js"
import { refuse } from "./refuse.js"

for (const { name, file } of tokenizerFixtures) {
  verify(`clipTokenizer with ${name} vocabulary`, clipTokenizerLaws(clipTokenizer(file)))
}

const right = clipTokenizer(tokenizerFixtures[0]!.file)
/** Other tokens, and rows of them. */
const encoding = (encode: ClipTokenizer["encode"]): ClipTokenizer => ({ ...right, encode })
/** Other rows, changed in place: its tokens, and how many of them are a text's. */
const filling = (change: (row: Int32Array, whole: number) => void): ClipTokenizer => ({
  ...right,
  rows: (texts, context) => {
    const made = right.rows(texts, context)
    change(made.data as Int32Array, right.encode(texts[0]!).length + 2)
    return made
  },
})

refuse<ClipTokenizer>("clipTokenizer", clipTokenizerLaws, [
  [
    "that does not mark the end of a word",
    { ...right, decode: (tokens) => right.decode(tokens).replaceAll(" ", "") },
    "decoding gives each word in lower case, and a space after it",
  ],
  [
    "that spells capitals",
    encoding((text) => right.encode(text.replaceAll(/\p{Lu}/gu, (letter) => `${letter} `))),
    "capitals are irrelevant",
  ],
  [
    "that reads new lines as signs",
    encoding((text) => right.encode(text.replaceAll("\n", "|"))),
    "which and how much white space parts words is irrelevant",
  ],
  [
    "that begins each text with a space of its own",
    encoding((text) => Int32Array.of(7, ...right.encode(text))),
    "two texts with a space between have the tokens of both",
  ],
  [
    "whose end comes before its start",
    { ...right, startOfText: right.endOfText, endOfText: right.startOfText },
    "the end is the largest of all tokens, the start is next to it, and no text has either",
  ],
  [
    "that pads with the end",
    filling((row, whole) => {
      row.fill(right.endOfText, whole)
    }),
    "a row is start, tokens, end and zeros",
  ],
  [
    "that cuts the end off",
    filling((row, whole) => {
      if (whole > row.length) row[row.length - 1] = 0
    }),
    "a row that is cut keeps its first tokens, and the end",
  ],
])

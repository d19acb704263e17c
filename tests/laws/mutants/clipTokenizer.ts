import { type ClipTokenizer, clipTokenizer } from "@millrace/models"
import { tokenizerFixtures } from "../../fixtures/clipTokenizer.js"
import { clipTokenizerLaws } from "../clipTokenizerLaws.js"
import { mutantSet } from "./mutantSet.js"

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

export const clipTokenizerMutants = mutantSet<ClipTokenizer>({
  subject: "CLIP tokenizer",
  laws: clipTokenizerLaws,
  real: right,
  mutants: {
    "that does not mark the end of a word": { ...right, decode: (tokens) => right.decode(tokens).replaceAll(" ", "") },
    "that spells capitals": encoding((text) => right.encode(text.replaceAll(/\p{Lu}/gu, (letter) => `${letter} `))),
    "that reads new lines as signs": encoding((text) => right.encode(text.replaceAll("\n", "|"))),
    "that begins each text with a space of its own": encoding((text) => Int32Array.of(7, ...right.encode(text))),
    "whose end comes before its start": { ...right, startOfText: right.endOfText, endOfText: right.startOfText },
    "that pads with the end": filling((row, whole) => {
      row.fill(right.endOfText, whole)
    }),
    "that cuts the end off": filling((row, whole) => {
      if (whole > row.length) row[row.length - 1] = 0
    }),
  },
})

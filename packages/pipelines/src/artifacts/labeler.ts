/** A labeler: who judges continuations. A simulated one knows the gold score that a person's taste would be. */
import { artifactKind, jsonFile, namedFiles } from "@millrace/core"
import { Effect, Schema } from "effect"
import { codeAlone } from "./codeAlone.js"

export interface Labeler {
  /** What the score is and where it comes from. */
  readonly source: string
  /** The gold score of a text; higher is better. Never shown to a model. */
  readonly score: (text: string) => number
  /** The data that decides the score, for the digest. */
  readonly data: Readonly<Record<string, number>>
  /** How the data decides the score, where it is `lexiconScore` that does: `lexiconLabeler` makes such a labeler. */
  readonly rule?: "lexicon"
}

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

/** The labeler of a lexicon: its score is `lexiconScore` of its data, so it can be read from its files. */
export const lexiconLabeler = (source: string, data: Labeler["data"]): Labeler => ({
  source,
  score: lexiconScore(data),
  data,
  rule: "lexicon",
})

const form = jsonFile(
  Schema.Struct({
    source: Schema.String,
    data: Schema.Record(Schema.String, Schema.Finite),
    rule: Schema.optionalKey(Schema.Literal("lexicon")),
  }),
)

/** Files of a lexicon's labeler are read. The score of another is code: its stage makes it again. */
export const labelerKind = artifactKind(
  "labeler",
  ({ source, data, rule }: Labeler) => ({
    "labeler.json": form.write({ source, data, ...(rule === undefined ? {} : { rule }) }),
  }),
  (files) =>
    Effect.gen(function* () {
      const file = (yield* namedFiles(files, "labeler", ["labeler.json"]))["labeler.json"]
      const { source, data, rule } = yield* form.read(file)
      if (rule !== undefined) return lexiconLabeler(source, data)
      return yield* codeAlone("labeler", 'a labeler whose rule is "lexicon"', files)
    }),
)

/** A tokenizer's two files among an artifact's. */
import { BadData, type NamedBytes } from "@millrace/core"
import { loadTokenizer, saveTokenizer, type Tokenizer } from "@millrace/models"
import { Effect } from "effect"

const names = ["vocab.json", "merges.txt"] as const

export const tokenizerFiles = {
  names,
  write: saveTokenizer,
  /**
   * @param where  the artifact's kind, for errors
   * @param vocab  how many tokens a model knows that is to be given its tokens
   * @fails BadData  files that are no tokenizer's, or written differently; another number of tokens
   */
  read: (
    files: { readonly [_ in (typeof names)[number]]: NamedBytes },
    where: string,
    vocab?: number,
  ): Effect.Effect<Tokenizer, BadData> =>
    Effect.gen(function* () {
      const given = Object.fromEntries(names.map((name) => [name, files[name].bytes]))
      const tokenizer = yield* loadTokenizer(given, where)
      const written = saveTokenizer(tokenizer)
      const other = names.filter((name) => Buffer.compare(written[name]!, given[name]!) !== 0)
      if (other.length > 0) {
        return yield* new BadData({
          where: `${where}/${other[0]}`,
          expected: "the text that Millrace writes for these tokens",
          received: "another text for them",
          fix: "give the file as it was written; files of other programs are read with loadTokenizer",
        })
      }
      if (vocab === undefined || vocab === tokenizer.size) return tokenizer
      return yield* new BadData({
        where,
        expected: `a tokenizer of ${vocab} tokens, as the config says`,
        received: `${tokenizer.size} tokens`,
        fix: "give the tokenizer that the model was trained with",
      })
    }),
}

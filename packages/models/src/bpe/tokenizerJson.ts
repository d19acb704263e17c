import { printBytes } from "./bytes.js"
import type { Tokenizer } from "./tokenizer.js"

/**
 * A tokenizer as the one file that `tokenizers` and `transformers` read: `tokenizer.json`.
 * @source  Hugging Face tokenizers, the byte-level BPE of GPT-2
 */
export const tokenizerJson = ({ vocabulary: { tokens, merges, special } }: Tokenizer): string => {
  const texts = new Map(Object.entries(special).map(([text, id]) => [id, text]))
  const writing = tokens.map((bytes, id) => texts.get(id) ?? printBytes(bytes))
  // Written by hand: a record would put tokens that look like numbers first.
  const vocab = writing.map((text, id) => `${JSON.stringify(text)}:${id}`).join(",")
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true }
  const rest = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Object.entries(special).map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
  }
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: "",
    end_of_word_suffix: "",
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    merges: merges.map(([left, right]) => `${writing[left]} ${writing[right]}`),
  }
  const fields = (value: object): string => JSON.stringify(value).slice(1, -1)
  return `{${fields(rest)},"model":{${fields(model)},"vocab":{${vocab}}}}`
}

import { type ClipTokenizer, END_OF_WORD } from "./clipTokenizer.js"

/** What `transformers` calls the start and the end of a text. */
export const clipSpecialTexts = { start: "<|startoftext|>", end: "<|endoftext|>" } as const

/**
 * CLIP's tokenizer as the one file that `tokenizers` and `transformers` read: `tokenizer.json`.
 *
 * Differs  Texts are composed (NFC), their white space joined and lowered, and no more: HTML's references, curly quotes,
 *          ligatures, full-width forms and control characters, which our tokenizer and OpenAI's clean away, stay.
 * @source  transformers `CLIPTokenizer`
 */
export const clipTokenizerJson = ({
  startOfText,
  endOfText,
  vocabulary: { writing, merges },
}: ClipTokenizer): string => {
  const { start, end } = clipSpecialTexts
  const special = [
    [start, startOfText],
    [end, endOfText],
  ] as const
  // Written by hand: a record would put tokens that look like numbers first.
  const vocab = [...writing.map((text, id) => [text, id] as const), ...special]
    .map(([text, id]) => `${JSON.stringify(text)}:${id}`)
    .join(",")
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false }
  const words = String.raw`<\|startoftext\|>|<\|endoftext\|>|'(?:[sſ]|t|re|ve|m|ll|d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`
  const rest = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: String.raw`\s+` }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Split", pattern: { Regex: words }, behavior: "Removed", invert: true }, byteLevel],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, endOfText],
      cls: [start, startOfText],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: {
      type: "Sequence",
      decoders: [byteLevel, { type: "Replace", pattern: { String: END_OF_WORD }, content: " " }],
    },
  }
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: end,
    continuing_subword_prefix: "",
    end_of_word_suffix: END_OF_WORD,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    merges: merges.map(([left, right]) => `${writing[left]} ${writing[right]}`),
  }
  const fields = (value: object): string => JSON.stringify(value).slice(1, -1)
  return `{${fields(rest)},"model":{${fields(model)},"vocab":{${vocab}}}}`
}

/**
 * CLIP's byte-pair encoding: text -> cleaned, lower case -> words -> bytes, the last one of a word marked -> merged tokens.
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `simple_tokenizer.py`.
 * Differs  The texts of the two special tokens are ordinary text unless asked for: a caption must not end itself.
 * Axes     b batch, t position
 */
import { gunzipSync } from "node:zlib"
import { attempt, BadData, type HostTensor, int32 } from "@millrace/core"
import type { Effect } from "effect"
import { byteOrder, parseBytes, printBytes } from "../../bpe/bytes.js"
import { type PairTable, pairTable } from "../../bpe/pairs.js"
import { mergeWord } from "../../bpe/word.js"
import { cleanText } from "./cleanText.js"

/** Ends the last token of each word. */
export const END_OF_WORD = "</w>"
/** As many of the file's merges as CLIP uses, so that there are 49,408 tokens. */
const MERGES = 49152 - 256 - 2

export interface ClipEncodeOptions {
  /** Read `<start_of_text>` and `<end_of_text>` as those tokens. Off by default. */
  readonly special?: boolean
}

export interface ClipVocabulary {
  /** Each ordinary token's writing: bytes as printable characters, and the mark of a word's end. */
  readonly writing: ReadonlyArray<string>
  /** Pairs of tokens in the order in which they merge. */
  readonly merges: ReadonlyArray<readonly [left: number, right: number]>
}

/** CLIP's tokenizer; it never changes. */
export interface ClipTokenizer {
  /** The number of tokens: 49,408 with CLIP's vocabulary. */
  readonly size: number
  readonly vocabulary: ClipVocabulary
  /** The last token but one. */
  readonly startOfText: number
  /** The last token: the largest of a text, at which the text tower is read. */
  readonly endOfText: number
  /**
   * A text's tokens, without start and end.
   * @law  decode(encode(text)) is the cleaned text's words with a space after each
   */
  readonly encode: (text: string, options?: ClipEncodeOptions) => Int32Array
  /**
   * The text of tokens, each word followed by a space, special tokens by their names; U+FFFD where bytes are not UTF-8.
   * @fails  BadData  a number that is no token
   */
  readonly decode: (tokens: ArrayLike<number>) => string
  /**
   * Texts as the text tower takes them: start, tokens, end, and zeros after it. Of a text that is too long the first tokens
   * stay, and the end.
   * @param context  77 unless given
   * @returns        int32  b t
   */
  readonly rows: (texts: ReadonlyArray<string>, context?: number) => HostTensor
}

const special = ["<start_of_text>", "<end_of_text>"] as const

interface Vocabulary extends ClipVocabulary {
  readonly pairs: PairTable
  /** The token that the pair of each rank makes. */
  readonly into: Int32Array
}

const readVocabulary = (text: string, where: string): Vocabulary => {
  const signs = byteOrder.map((byte) => printBytes(Uint8Array.of(byte)))
  const writing = [...signs, ...signs.map((sign) => sign + END_OF_WORD)]
  const ids = new Map(writing.map((token, id) => [token, id]))
  const lines = text.split(/\r?\n/).slice(1, 1 + MERGES)
  while (lines.at(-1) === "") lines.pop()
  const refuse = (line: number, expected: string): never => {
    throw new BadData({
      where: `${where}:${line + 2}`,
      expected,
      received: JSON.stringify(lines[line]!.slice(0, 60)),
      fix: "give CLIP's bpe_simple_vocab_16e6.txt, its first line included",
    })
  }
  const merges = lines.map((line, i): readonly [number, number] => {
    const [left = "", right = "", ...more] = line.split(" ")
    if (left === "" || right === "" || more.length > 0) return refuse(i, "two tokens with one space between")
    const [first, second] = [ids.get(left), ids.get(right)]
    if (first === undefined || second === undefined) return refuse(i, "two tokens that lines above have made")
    if (ids.has(left + right)) return refuse(i, "a token that no other line makes")
    ids.set(left + right, writing.push(left + right) - 1)
    return [first, second]
  })
  return { writing, merges, pairs: pairTable(merges), into: Int32Array.from(merges, (_, i) => 512 + i) }
}

/** Contractions, runs of letters, single digits, runs of other signs. The text is clean, and its only white space is " ". */
const words = /'(?:[sſ]|t|re|ve|m|ll|d)|\p{L}+|\p{N}|[^ \p{L}\p{N}]+/gu
const wordsAndSpecial = new RegExp(`${special.join("|")}|${words.source}`, "gu")

/** Words remembered with their tokens; when full, the oldest goes. */
const CACHE_WORDS = 2 ** 16

/**
 * The tokenizer of a vocabulary file's text: a first line that is left out, then one merge a line.
 * @param where  the file's name, for errors
 * @fails  BadData  a line that is no merge of two tokens before it
 */
export const clipTokenizer = (text: string, where = "CLIP's vocabulary"): ClipTokenizer => {
  const { writing, merges, pairs, into } = readVocabulary(text, where)
  const [startOfText, endOfText] = [writing.length, writing.length + 1]
  const byteToken = new Int32Array(256)
  for (const [i, byte] of byteOrder.entries()) byteToken[byte] = i
  const utf8 = new TextEncoder()
  const cache = new Map<string, Int32Array>()

  const encodeWord = (word: string): Int32Array => {
    const known = cache.get(word)
    if (known !== undefined) return known
    const found = Int32Array.from(utf8.encode(word), (byte) => byteToken[byte]!)
    found[found.length - 1]! += 256
    const tokens = found.slice(0, mergeWord(found, found.length, pairs, into))
    if (cache.size === CACHE_WORDS) cache.delete(cache.keys().next().value ?? "")
    cache.set(word, tokens)
    return tokens
  }

  const encode = (given: string, options: ClipEncodeOptions = {}): Int32Array => {
    const found = cleanText(given).matchAll(options.special === true ? wordsAndSpecial : words)
    return Int32Array.from(
      Array.from(found, ([word]) => {
        if (options.special === true && word === special[0]) return [startOfText]
        return options.special === true && word === special[1] ? [endOfText] : [...encodeWord(word)]
      }).flat(),
    )
  }

  const all = [...writing, ...special]
  const writingOf = (id: number, i: number): string => {
    const found = all[id]
    if (found !== undefined) return found
    throw new BadData({
      where: `tokens[${i}]`,
      expected: `an integer from 0 to ${endOfText}`,
      received: String(id),
      fix: "decode with the vocabulary that the tokens are of",
    })
  }

  return {
    size: writing.length + 2,
    vocabulary: { writing, merges },
    startOfText,
    endOfText,
    encode,
    decode: (tokens) => {
      const bytes = Array.from(tokens, writingOf).map((token) => {
        const ends = token.endsWith(END_OF_WORD)
        const body = parseBytes(ends ? token.slice(0, -END_OF_WORD.length) : token) ?? utf8.encode(token)
        return ends ? [...body, 0x20] : [...body]
      })
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes.flat()))
    },
    rows: (texts, context = 77) => {
      const data = new Int32Array(texts.length * context)
      for (const [i, each] of texts.entries()) {
        const row = [startOfText, ...encode(each), endOfText]
        data.set(row.slice(0, context), i * context)
        if (row.length > context) data[(i + 1) * context - 1] = endOfText
      }
      return int32([texts.length, context], data)
    },
  }
}

/**
 * The tokenizer of a vocabulary file's bytes: `bpe_simple_vocab_16e6.txt`, or the same with gzip.
 * @param where  the file's name, for errors
 * @fails  BadData  bytes that are not such a file
 */
export const loadClipTokenizer = (
  bytes: Uint8Array,
  where = "CLIP's vocabulary",
): Effect.Effect<ClipTokenizer, BadData> =>
  attempt(BadData, () => {
    try {
      const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
      return clipTokenizer(new TextDecoder("utf-8", { fatal: true }).decode(plain), where)
    } catch (cause) {
      if (cause instanceof BadData) throw cause
      throw new BadData({
        where,
        expected: "UTF-8, as it is or with gzip",
        received: "other bytes",
        fix: "the file is damaged: download it again",
        cause,
      })
    }
  })

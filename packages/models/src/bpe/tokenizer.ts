/**
 * Byte-level byte-pair encoding: text -> words -> bytes -> merged tokens, and back.
 * Source   Radford et al. 2019, section 2.2; Sennrich et al. 2016; dropout: Provilkov et al. 2020.
 */
import { BadConfig, BadData, type Key, random } from "@millrace/core"
import { pairTable } from "./pairs.js"
import { wordsOf } from "./pattern.js"
import { END_OF_TEXT, latin1, type Vocabulary } from "./vocabulary.js"
import { mergeWord } from "./word.js"

export interface EncodeOptions {
  /** Read special tokens' texts as those tokens. Off by default: a user's text must not end a document. */
  readonly special?: boolean
  /** Splits words at random, so that a model sees rarer tokens: for training alone. */
  readonly dropout?: BpeDropout
}

/**
 * At each merge each pair that could merge is left out with a probability. 0.1 for DALL·E's captions.
 * @source Provilkov et al. 2020, algorithm 1; Ramesh et al. 2021, section 2.2
 */
export interface BpeDropout {
  /** 0 merges as ever, 1 leaves single bytes. */
  readonly rate: number
  /** One key, one text, one encoding. */
  readonly key: Key
}

/** A tokenizer; it never changes. */
export interface Tokenizer {
  /** The number of tokens: each token is below it. */
  readonly size: number
  /** The token that ends a document. */
  readonly endOfText: number
  readonly vocabulary: Vocabulary
  /**
   * A text's tokens. Any string encodes; a lone surrogate, which has no bytes, is encoded as U+FFFD.
   * @fails  BadLength  a single word of some millions of characters
   * @fails  BadConfig  a dropout whose rate is not in [0, 1]
   * @law    decode(encode(text)) is text, with dropout too
   */
  readonly encode: (text: string, options?: EncodeOptions) => Int32Array
  /** The text of any tokens, in any order; U+FFFD where their bytes are not UTF-8. Fails as `decodeBytes`. */
  readonly decode: (tokens: ArrayLike<number>) => string
  /**
   * The exact bytes of any tokens.
   * @fails  BadData  a number that is no token
   */
  readonly decodeBytes: (tokens: ArrayLike<number>) => Uint8Array
}

/** Answers that are true with the dropout's rate: the stream of its key, one word after the other. */
const dropping = ({ rate, key }: BpeDropout): (() => boolean) => {
  if (!(rate >= 0 && rate <= 1)) {
    throw new BadConfig({
      where: "encode > dropout",
      expected: "a rate in [0, 1]",
      received: String(rate),
      fix: "give the probability with which a merge is left out: 0.1 is usual",
    })
  }
  let [asked, second] = [0, 0]
  return () => {
    const at = asked++
    let word = second
    if (at % 2 === 0) [word, second] = random.draw(key, at / 2)
    return word < rate * 2 ** 32
  }
}

/** Words remembered with their tokens; when full, the oldest goes. Longer words are rare and not kept. */
const CACHE_WORDS = 2 ** 16
const CACHE_LENGTH = 48

/**
 * The tokenizer of a vocabulary.
 * @fails  BadData  a byte without a token, a merge without a result, or no END_OF_TEXT
 */
export const tokenizer = (vocabulary: Vocabulary): Tokenizer => {
  const { tokens, merges, special } = vocabulary
  const refuse = (expected: string, received: string): never => {
    throw new BadData({ where: "vocabulary", expected, received, fix: "train a vocabulary, or load both of its files" })
  }
  const specials = new Set(Object.values(special))
  const byBytes = new Map(tokens.flatMap((bytes, id) => (specials.has(id) ? [] : [[latin1(bytes), id] as const])))
  const byteTokens = Int32Array.from({ length: 256 }, (_, byte) => {
    return byBytes.get(String.fromCharCode(byte)) ?? refuse("a token for each byte", `none for byte ${byte}`)
  })
  const into = Int32Array.from(merges, ([left, right], rank) => {
    const joined = latin1(tokens[left] ?? new Uint8Array()) + latin1(tokens[right] ?? new Uint8Array())
    return byBytes.get(joined) ?? refuse("a token for each merge", `none for merge ${rank}, ${left} and ${right}`)
  })
  const endOfText = special[END_OF_TEXT] ?? refuse(`a special token ${END_OF_TEXT}`, Object.keys(special).join(" "))
  const pairs = pairTable(merges)
  const cache = new Map<string, Int32Array>()
  const utf8 = new TextEncoder()

  const bytesOf = (word: string): Int32Array => Int32Array.from(utf8.encode(word), (byte) => byteTokens[byte]!)
  const splitWord = (word: string, dropped: () => boolean): Int32Array => {
    const found = bytesOf(word)
    return found.slice(0, mergeWord(found, found.length, pairs, into, dropped))
  }
  const encodeWord = (word: string): Int32Array => {
    const known = cache.get(word)
    if (known !== undefined) return known
    const found = bytesOf(word)
    const result = found.slice(0, mergeWord(found, found.length, pairs, into))
    if (word.length <= CACHE_LENGTH) {
      if (cache.size === CACHE_WORDS) cache.delete(cache.keys().next().value ?? "")
      cache.set(word, result)
    }
    return result
  }

  // Longest first, where one special token's text begins another's.
  const specialTexts = Object.keys(special).sort((a, b) => b.length - a.length)
  const specialPattern = new RegExp(specialTexts.map((text) => text.replace(/[^\p{L}\p{N}]/gu, "\\$&")).join("|"), "g")

  const encode = (text: string, options: EncodeOptions = {}): Int32Array => {
    let out = new Int32Array(Math.max(16, text.length >> 1))
    let length = 0
    const append = (found: ArrayLike<number>): void => {
      if (length + found.length > out.length) {
        const wider = new Int32Array(2 * (length + found.length))
        wider.set(out)
        out = wider
      }
      for (let i = 0; i < found.length; i++) out[length++] = found[i]!
    }
    const dropped = options.dropout === undefined ? null : dropping(options.dropout)
    const ordinary = (part: string): void => {
      const next = wordsOf(part)
      for (let word = next(); word !== ""; word = next()) {
        append(dropped === null ? encodeWord(word) : splitWord(word, dropped))
      }
    }
    let at = 0
    if (options.special === true) {
      for (const { 0: name, index } of text.matchAll(specialPattern)) {
        ordinary(text.slice(at, index))
        append([special[name]!])
        at = index + name.length
      }
    }
    ordinary(text.slice(at))
    return out.slice(0, length)
  }

  const decodeBytes = (ids: ArrayLike<number>): Uint8Array => {
    const parts = Array.from(ids, (id, i) => {
      const bytes = tokens[id]
      if (bytes !== undefined) return bytes
      throw new BadData({
        where: `tokens[${i}]`,
        expected: `an integer from 0 to ${tokens.length - 1}`,
        received: String(id),
        fix: "decode with the vocabulary that the model was trained with",
      })
    })
    return new Uint8Array(Buffer.concat(parts))
  }

  return {
    size: tokens.length,
    endOfText,
    vocabulary,
    encode,
    decode: (ids) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(decodeBytes(ids)), // keep U+FEFF
    decodeBytes,
  }
}

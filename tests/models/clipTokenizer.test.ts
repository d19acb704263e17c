import { gzipSync } from "node:zlib"
import { BadData } from "@millrace/core"
import { clipTokenizer, loadClipTokenizer } from "@millrace/models"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { tokenizerFixtures } from "../fixtures/clipTokenizer.js"

describe.each(tokenizerFixtures)("with $name vocabulary", ({ file, cases, special, rows, size }) => {
  const tokenizer = clipTokenizer(file)

  test.each(cases)("open_clip makes the same tokens of $text", ({ text, ids, decoded }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(decoded)
  })

  test.each(special)("open_clip reads special tokens in $text, and so does `special: true`", ({ text, ids }) => {
    expect([...tokenizer.encode(text, { special: true })]).toEqual(ids)
  })

  test.each(special)("$text holds no special token unless asked", ({ text }) => {
    expect(Math.max(...tokenizer.encode(text))).toBeLessThan(tokenizer.startOfText)
  })

  test.each(rows)("open_clip makes the same rows of $context tokens", ({ texts, context, ids }) => {
    const made = tokenizer.rows(texts, context)
    expect(made.shape).toEqual([texts.length, context])
    expect([...made.data]).toEqual(ids)
  })

  test("open_clip has as many tokens", () => {
    expect(tokenizer.size).toBe(size)
    expect([tokenizer.startOfText, tokenizer.endOfText]).toEqual([size - 2, size - 1])
  })
})

const [, own] = tokenizerFixtures
const tokenizer = clipTokenizer(own!.file)

test("hello world! is 3306 1002 256 of 49,408 tokens, between 49406 and 49407", () => {
  expect(tokenizer.size).toBe(49_408)
  expect([...tokenizer.encode("hello world!")]).toEqual([3306, 1002, 256])
  expect([...tokenizer.rows(["hello world!"]).data.slice(0, 7)]).toEqual([49406, 3306, 1002, 256, 49407, 0, 0])
  expect(tokenizer.rows(["hello world!"]).shape).toEqual([1, 77])
})

test("text that was decoded with the wrong encoding stays as it is, which ftfy would repair", () => {
  expect(tokenizer.decode(tokenizer.encode("cafÃ©"))).toBe("cafã © ")
})

test("a lone surrogate is U+FFFD", () => {
  expect(tokenizer.decode(tokenizer.encode("a\ud800"))).toBe("a \ufffd ")
})

test("a file with gzip gives the tokenizer of the file", async () => {
  const bytes = new TextEncoder().encode(own!.file)
  for (const each of [bytes, gzipSync(bytes)]) {
    const loaded = await Effect.runPromise(loadClipTokenizer(each, "vocabulary.txt"))
    expect([...loaded.encode("hello world!")]).toEqual([3306, 1002, 256])
  }
})

test.each([
  ["a line of three tokens", "#\na b\nc d e\n", /vocabulary:3[\s\S]*two tokens with one space/],
  ["a line of one token", "#\nab\n", /vocabulary:2[\s\S]*two tokens with one space/],
  ["a merge of a token that comes later", "#\nab c\na b\n", /vocabulary:2[\s\S]*lines above/],
  ["a token that two lines make", "#\na b\nb c\nab c\na bc\n", /vocabulary:5[\s\S]*no other line makes/],
])("%s is refused with its line", (_, file, message) => {
  expect(() => clipTokenizer(file)).toThrow(BadData)
  expect(() => clipTokenizer(file)).toThrow(message)
})

test.each([
  ["bytes that are not UTF-8", Uint8Array.of(0xff, 0xfe, 0x00)],
  ["gzip that is cut short", gzipSync(new TextEncoder().encode(own!.file)).subarray(0, 1000)],
])("%s are refused as damaged", async (_, bytes) => {
  const failed = await Effect.runPromise(Effect.flip(loadClipTokenizer(bytes, "file.gz")))
  expect(failed).toBeInstanceOf(BadData)
  expect(failed.message).toMatch(/file\.gz[\s\S]*damaged/)
})

test.each([-1, 49_408, 1.5])("decoding %d, which is no token, names its place", (id) => {
  expect(() => tokenizer.decode([320, id])).toThrow(BadData)
  expect(() => tokenizer.decode([320, id])).toThrow(/tokens\[1\]/)
})

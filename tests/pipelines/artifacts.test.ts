import {
  artifactKind,
  decodeSafetensors,
  digestFiles,
  type Files,
  flatten,
  float32,
  initParams,
  isParamSpec,
  keyFromSeed,
} from "@millrace/core"
import { type GptConfig, gptParams, loadTokenizer, trainBpe } from "@millrace/models"
import {
  answersKind,
  type Comparison,
  comparisonsKind,
  corpusKind,
  demonstrationsKind,
  evaluationKind,
  labelerKind,
  languageModelKind,
  passagesKind,
  tokenizerKind,
} from "@millrace/pipelines"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { textOf } from "./corpus.js"

const text = (files: Files, name: string): string => new TextDecoder().decode(files[name])
const rows = (files: Files, name: string): ReadonlyArray<unknown> =>
  text(files, name)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown)
const config: GptConfig = { vocab: 11, context: 4, width: 6, layers: 1, heads: 2 }
const params = initParams(flatten(gptParams(config), isParamSpec), keyFromSeed(1))
const digest = (files: Files): string => digestFiles(files)

test("a language model's files give back its config and every weight, bit for bit", async () => {
  const files = languageModelKind.files({ config, params })
  expect(JSON.parse(text(files, "config.json"))).toEqual(config)
  const { tensors } = await Effect.runPromise(decodeSafetensors(files["model.safetensors"]!, "model"))
  expect(Object.keys(tensors).sort()).toEqual(Object.keys(params).sort())
  for (const [name, { shape, data }] of Object.entries(params)) expect(tensors[name]).toEqual(float32(shape, data))
})

test("a model's digest changes with the smallest change of one weight, and not with the order of names", () => {
  const whole = digest(languageModelKind.files({ config, params }))
  const backwards = Object.fromEntries(Object.entries(params).reverse())
  expect(digest(languageModelKind.files({ config, params: backwards }))).toBe(whole)
  const data = params.token!.data.slice() as Float32Array
  new Int32Array(data.buffer)[7]! ^= 1
  const nudged = { ...params, token: float32(params.token!.shape, data) }
  expect(digest(languageModelKind.files({ config, params: nudged }))).not.toBe(whole)
  expect(digest(languageModelKind.files({ config: { ...config, heads: 3 }, params }))).not.toBe(whole)
})

test("a digest depends on names and bytes of files, not on their order, and no byte moves unseen between two files", () => {
  const bytes = fc.uint8Array({ maxLength: 6 })
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), bytes, { maxKeys: 4 }), (files) => {
      expect(digestFiles(Object.fromEntries(Object.entries(files).reverse()))).toBe(digestFiles(files))
      const names = Object.keys(files)
      if (names.length === 0) return
      const [name = ""] = names
      expect(digestFiles({ ...files, [name]: Uint8Array.of(...files[name]!, 0) })).not.toBe(digestFiles(files))
      expect(digestFiles({ ...files, [`${name}more`]: new Uint8Array(0) })).not.toBe(digestFiles(files))
    }),
  )
  expect(digestFiles({ a: Uint8Array.of(1, 2), b: Uint8Array.of() })).not.toBe(
    digestFiles({ a: Uint8Array.of(1), b: Uint8Array.of(2) }),
  )
})

test("a tokenizer's files are a vocabulary that encodes alike", async () => {
  const documents = textOf(1)
  const made = await Effect.runPromise(
    trainBpe(
      documents.map((document) => document.text),
      { vocab: 300 },
    ),
  )
  const loaded = await Effect.runPromise(loadTokenizer(tokenizerKind.files(made), "saved"))
  expect(loaded.encode(documents[0]!.text)).toEqual(made.encode(documents[0]!.text))
  expect([loaded.size, loaded.endOfText]).toEqual([made.size, made.endOfText])
})

test("a corpus is kept as a manifest: its digest changes with one letter of a text that is not in it", () => {
  const documents = textOf(2)
  const corpus = { source: "a test", train: documents.slice(0, 1), heldOut: documents.slice(1) }
  const files = corpusKind.files(corpus)
  expect(text(files, "corpus.json")).not.toContain(documents[0]!.text.slice(0, 40))
  expect(JSON.parse(text(files, "corpus.json"))).toMatchObject({
    source: "a test",
    train: [{ title: documents[0]!.title, characters: documents[0]!.text.length }],
  })
  const [first] = corpus.train
  const changed = { ...corpus, train: [{ ...first!, text: first!.text.replace("a", "b") }] }
  expect(digest(corpusKind.files(changed))).not.toBe(digest(files))
  const swapped = { ...corpus, train: corpus.heldOut, heldOut: corpus.train }
  expect(digest(corpusKind.files(swapped))).not.toBe(digest(files))
})

test("a labeler's digest is that of the data that decides its score", () => {
  const labeler = { source: "a test", score: () => 0, data: { good: 3 } }
  expect(JSON.parse(text(labelerKind.files(labeler), "labeler.json"))).toEqual({ source: "a test", data: { good: 3 } })
  expect(digest(labelerKind.files({ ...labeler, data: { good: 2 } }))).not.toBe(digest(labelerKind.files(labeler)))
})

const passage = { prompt: Int32Array.of(1, 2), continuation: Int32Array.of(3, 4, 5) }
const answers = { prompt: passage.prompt, answers: [Int32Array.of(6), Int32Array.of(7, 8)] }
const compared: Comparison = { ...answers, preference: [1, 0], gold: [0.5, -2] }

test("passages, answers and comparisons are JSON lines, each side in its own file", () => {
  const passages = passagesKind.files({
    promptLength: 2,
    continuationLength: 3,
    train: [passage, passage],
    heldOut: [],
  })
  expect(rows(passages, "train.jsonl")).toEqual([
    { prompt: [1, 2], continuation: [3, 4, 5] },
    { prompt: [1, 2], continuation: [3, 4, 5] },
  ])
  expect(rows(passages, "held-out.jsonl")).toEqual([])
  expect(rows(answersKind.files({ train: [], heldOut: [answers] }), "held-out.jsonl")).toEqual([
    { prompt: [1, 2], answers: [[6], [7, 8]] },
  ])
  expect(rows(comparisonsKind.files({ train: [compared], heldOut: [] }), "train.jsonl")).toEqual([
    { prompt: [1, 2], answers: [[6], [7, 8]], preference: [1, 0], gold: [0.5, -2] },
  ])
  expect(JSON.parse(text(demonstrationsKind.files([passage]), "demonstrations.json"))).toEqual([
    [
      [1, 2],
      [3, 4, 5],
    ],
  ])
})

test("an evaluation keeps its numbers unrounded", () => {
  const metrics = { "ppo.gold": 1 / 3, "sft.gold": -0.1 }
  const table = { title: "T", columns: ["a", "b"], rows: [["x", 1 / 7]] }
  const files = evaluationKind.files({ metrics, tables: [table], samples: { columns: ["p"], rows: [["q"]] } })
  expect(JSON.parse(text(files, "metrics.json"))).toEqual(metrics)
  expect(JSON.parse(text(files, "tables.json"))).toEqual([table])
})

test("a kind of one's own has the digest of the files that it gives", () => {
  const kind = artifactKind("count", (n: number) => ({ "n.txt": new TextEncoder().encode(String(n)) }))
  expect(digest(kind.files(3))).toBe(digestFiles({ "n.txt": Uint8Array.of(0x33) }))
})

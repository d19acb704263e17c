/** Bad input to the recipe: a typed error that names the place and the remedy, and nothing made before it is lost. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BadConfig, BadLength, decodeSafetensors, Engines, NotFinite, recordRun, render } from "@millrace/core"
import { loadTokenizer } from "@millrace/models"
import { type CorpusNode, type InstructGptConfig, instructgpt, instructgptPresets } from "@millrace/pipelines"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { corpusOf, labeler, smallCorpus, textOf } from "./corpus.js"

const { tiny } = instructgptPresets
const base: InstructGptConfig = {
  ...tiny,
  tokenizer: { vocab: 400, characters: 20_000 },
  passages: { ...tiny.passages, train: 200, heldOut: 40 },
}

let root = ""
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "millrace-errors-"))
})
afterAll(() => rm(root, { recursive: true }))

/** A run that must fail: its error, and what its folder holds. */
const failing = async (name: string, config: InstructGptConfig, corpus: CorpusNode) => {
  const run = recordRun(instructgpt(config, corpus, labeler), { root: join(root, name), seed: 1 })
  const error = await Effect.runPromise(run.pipe(Effect.flip, Effect.provide(Engines.layer("onnx", { threads: 1 }))))
  const [id = ""] = await readdir(join(root, name))
  return {
    error,
    at: (...path: ReadonlyArray<string>) => readFile(join(root, name, id, ...path)),
    kept: await readdir(join(root, name, id, "artifacts")),
  }
}

test.each([
  ["empty", [], [], "0 characters in 0 documents"],
  ["of a few words", [{ title: "a", text: "Too short to learn from." }], textOf(1), "24 characters in 1 documents"],
] as const)(
  "a corpus that is %s stops at the tokenizer, which says how much is needed and what came",
  async (name, train, heldOut, received) => {
    const { error, at, kept } = await failing(name, base, corpusOf({ train, heldOut }))
    expect(error).toMatchObject({ _tag: "NodeFailed", where: "instructgpt > tokenizer", fix: "give a larger corpus" })
    expect(error.expected).toContain("1,000 characters")
    expect(error.received).toContain(received)
    expect(error.cause).toBeInstanceOf(BadLength)
    expect(render(error)).not.toMatch(/\n\s+at /)
    expect(kept.sort()).toEqual(["corpus", "labeler"])
    expect((await at("SUMMARY.txt")).toString()).toContain("give a larger corpus")
  },
)

test("a corpus with nothing held out stops at the passages, which say which side is empty", async () => {
  const { error, kept } = await failing("one-sided", base, corpusOf({ train: textOf(3), heldOut: [] }))
  expect(error).toMatchObject({ where: "instructgpt > passages", cause: { where: "instructgpt.passages > held out" } })
  expect(error.fix).toContain("larger corpus")
  expect(kept.sort()).toEqual(["corpus", "labeler", "tokenizer"])
})

test("a vocabulary that the text is too poor for is told with the largest that it could have", async () => {
  const poor = { ...base, tokenizer: { vocab: 5000, characters: 20_000 } }
  const { error } = await failing("poor", poor, smallCorpus)
  expect(error).toMatchObject({ where: "instructgpt > tokenizer", cause: { _tag: "BadLength" } })
  expect(error.received).toMatch(/\d+/)
})

test("prompts and continuations beyond the context are BadLength before anything runs", () => {
  const passages = { ...base.passages, promptLength: 20, continuationLength: 24 }
  const make = () => instructgpt({ ...base, passages }, smallCorpus, labeler)
  expect(make).toThrow(BadLength)
  expect(make).toThrow(/instructgpt > passages\n.*at most 32.*\n.*20 \+ 24 = 44 tokens\n.*longer context/)
})

const withJson = (change: (config: Record<string, Record<string, unknown>>) => void): InstructGptConfig => {
  const config = JSON.parse(JSON.stringify(base)) as Record<string, Record<string, unknown>>
  change(config)
  return JSON.parse(JSON.stringify(config)) as InstructGptConfig
}

test.each<[string, (config: Record<string, Record<string, unknown>>) => void, RegExp]>([
  [
    "one answer a prompt",
    (c) => Object.assign(c.answers!, { k: 1 }),
    /instructgpt\.answers@1\n.*k: at least 2 answers/,
  ],
  ["an unknown key", (c) => Object.assign(c.sft!, { bacth: 16 }), /instructgpt\.sft@1\n[\s\S]*bacth: unknown key/],
  ["a number as text", (c) => Object.assign(c.pretrain!, { batch: "16" }), /pretrain@1\n[\s\S]*batch: "16"/],
  ["a missing key", (c) => delete c.evaluate!.windows, /evaluate@1\n.*windows: required\n.*windows: missing/],
  ["no row a batch", (c) => Object.assign(c.reward!, { batch: 0 }), /reward-model@1\n[\s\S]*batch: 0/],
  ["a share above 1", (c) => Object.assign(c.demonstrations!, { share: 25 }), /demonstrations@1\n[\s\S]*share: 25/],
  [
    "judgements rounded to nothing",
    (c) => Object.assign(c.comparisons!, { grain: 0 }),
    /comparisons@1\n[\s\S]*grain: 0/,
  ],
  [
    "minibatches beyond the rollout",
    (c) => Object.assign(c.ppo!, { minibatch: 64 }),
    /ppo@1\n.*minibatch 64 must be at most episodes 32/,
  ],
  [
    "a width that heads do not divide",
    (c) => Object.assign(c.pretrain!.model!, { heads: 3 }),
    /pretrain@1\n.*width 32 must be a multiple of heads 3/,
  ],
  [
    "a learning rate below 0",
    (c) => Object.assign((c.sft!.fit as { schedule: object }).schedule, { peak: -1 }),
    /sft@1\n[\s\S]*fit\.schedule\.peak: -1/,
  ],
])("%s is BadConfig by the name of the stage and the key, before anything runs", (_, change, message) => {
  const make = () => instructgpt(withJson(change), smallCorpus, labeler)
  expect(make).toThrow(BadConfig)
  expect(make).toThrow(message)
})

test("a learning rate that explodes stops pretraining, says at which step, and the last good weights are kept", async () => {
  const { fit } = base.pretrain
  const wild = { ...base, pretrain: { ...base.pretrain, fit: { ...fit, schedule: { ...fit.schedule, peak: 1e30 } } } }
  const { error, at, kept } = await failing("wild", wild, smallCorpus)
  expect(error).toMatchObject({ _tag: "NodeFailed", where: "instructgpt > pretrain" })
  expect(error.cause).toBeInstanceOf(NotFinite)
  expect(error.received).toMatch(/NotFinite in pretrain > language-modelling > step \d+/)
  expect(error.fix).toBe(
    "lower the learning rate; the weights before it are kept as artifacts/pretrain/last-good/model.safetensors",
  )
  const bytes = await at("artifacts", "pretrain", "last-good", "model.safetensors")
  const { tensors: weights } = await Effect.runPromise(decodeSafetensors(bytes, "last-good"))
  expect(Object.keys(weights)).toContain("policy.token")
  for (const [name, { data }] of Object.entries(weights)) {
    expect([name, data.every((w) => Number.isFinite(w) && Math.abs(w) < 10)]).toEqual([name, true])
  }
  expect(kept.sort()).toEqual(["corpus", "labeler", "passages", "pretrain", "tokenizer"])
  expect((await at("report.html")).toString()).toContain("lower the learning rate")
})

test("a vocabulary file that is none is BadData by its name", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const merges = bytes("#version: 0.2\n")
  const load = (vocab: string) =>
    Effect.runPromise(Effect.flip(loadTokenizer({ "vocab.json": bytes(vocab), "merges.txt": merges }, "my-model")))
  for (const vocab of ["<html>", "[1, 2]", '{"a": 7}']) {
    const error = await load(vocab)
    expect(error).toMatchObject({ _tag: "BadData", where: expect.stringContaining("my-model") })
    expect(error.fix).not.toBe("")
  }
})

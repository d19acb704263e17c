import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeEvents, decodeRecords, type Files, isParamSpec, mapTree } from "@millrace/core"
import { gpt, gptParams, loadGpt } from "@millrace/models"
import { languageModelKind } from "@millrace/pipelines"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { InferenceSession, Tensor } from "onnxruntime-node"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { here } from "./here.js"

const graphs = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs")

let folder = ""
let out = ""
let id = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-export-"))
  out = join(folder, "runs")
  const given = ["--engine", "tfjs:cpu", "--quiet", "--json", "--out", out]
  const { code, out: text } = await here(["run", join(graphs, "learning.js"), ...given])
  expect(code).toBe(0)
  id = JSON.parse(text).run
})
afterAll(() => rm(folder, { recursive: true }))

const exported = async (to: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const path = join(folder, to)
  const { code, err } = await here(["export", id, ...args, "--to", path, "--out", out])
  expect([code, err]).toEqual([0, ""])
  return path
}

const filesIn = async (path: string): Promise<Files> =>
  Object.fromEntries(
    await Promise.all((await readdir(path)).map(async (name) => [name, await readFile(join(path, name))])),
  )

/** The model as the run has it. */
const trained = async () =>
  Effect.runPromise(languageModelKind.read!(await filesIn(join(out, id, "artifacts", "pretrain", "out"))))

describe("millrace export --format safetensors", () => {
  test("of a language model loads again as Hugging Face's GPT-2, with the weights and the tokens of the run", async () => {
    const files = await filesIn(await exported("gpt", "pretrain", "--format", "safetensors"))
    const { config, params } = await trained()
    const loaded = await Effect.runPromise(loadGpt(files, "gpt"))
    expect(loaded.config).toMatchObject(config)
    expect(loaded.values).toEqual(params)
    const tokens = JSON.parse(new TextDecoder().decode(files["tokenizer.json"])).model.vocab
    expect(Object.keys(tokens)).toHaveLength(config.vocab)
    const card = new TextDecoder().decode(files["README.md"])
    expect(card).toMatch(/^---\nlibrary_name: millrace\n/)
    expect(card).toContain(`in run ${id}`)
    expect(card).toContain("| pretrain.model.width | 8 |")
  })

  test("of a stage without weights is refused, and of a port by its name is not", async () => {
    const to = ["--to", join(folder, "none"), "--out", out, "--format", "safetensors"]
    const { code, err } = await here(["export", id, "tokenizer", ...to])
    expect(code).toBe(2)
    expect(err).toContain("an artifact with weights")
    expect(Object.keys(await filesIn(await exported("port", "pretrain.out", "--format", "safetensors")))).toContain(
      "model.safetensors",
    )
  })

  test("of an artifact with one byte changed is refused, and writes nothing", async () => {
    const copy = join(folder, "damaged")
    const { code: ran, out: text } = await here([
      ...["run", join(graphs, "learning.js"), "--engine", "tfjs:cpu", "--quiet", "--json"],
      ...["--seed", "5", "--out", copy],
    ])
    expect(ran).toBe(0)
    const run = JSON.parse(text).run
    const file = join(copy, run, "artifacts", "pretrain", "out", "model.safetensors")
    const bytes = await readFile(file)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(file, bytes)
    const to = join(folder, "refused")
    const { code, err } = await here(["export", run, "pretrain", "--format", "safetensors", "--to", to, "--out", copy])
    expect(code).toBe(1)
    expect(err).toContain("pretrain > out")
    await expect(readdir(to)).rejects.toThrow()
  })
})

describe("millrace export --format onnx", () => {
  test("has the trained model with its weights: ONNX Runtime computes what tfjs does", async () => {
    const path = await exported("onnx", "pretrain", "--format", "onnx")
    expect((await readdir(path)).toSorted()).toEqual(["model.onnx", "step.objective.onnx", "step.onnx"])
    const { config, params } = await trained()
    const tokens = Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6])
    const session = await InferenceSession.create(join(path, "model.onnx"))
    const { output } = await session.run({ tokens: new Tensor("int32", tokens, [1, 8]) })
    await tf.setBackend("cpu")
    const tree = mapTree(gptParams(config), isParamSpec, (name, { shape }) => tf.tensor(params[name]!.data, [...shape]))
    const ours = gpt.logits(config).apply(tree, { tokens: tf.tensor2d(tokens, [1, 8], "int32") })
    const theirs = output!.data as Float32Array
    expect(Math.max(...(await ours.data()).map((x, i) => Math.abs(x - theirs[i]!)))).toBeLessThan(1e-5)
  })

  test("has what the stage minimises with the weights inside, and its step with them as inputs", async () => {
    const path = join(folder, "onnx")
    const objective = await InferenceSession.create(join(path, "step.objective.onnx"))
    expect(objective.inputNames).toEqual(["tokens"])
    const [row] = [Int32Array.from({ length: 16 }, (_, i) => i)]
    const { loss } = await objective.run({ tokens: new Tensor("int32", row!, [2, 8]) })
    expect(loss!.data[0]).toBeGreaterThan(0)
    const step = await InferenceSession.create(join(path, "step.onnx"))
    expect(step.inputNames.length).toBeGreaterThan(16)
    expect(step.outputNames.some((name) => name.endsWith(":next"))).toBe(true)
  })
})

test("millrace export --format tensorboard has every scalar of every step", async () => {
  const path = await exported("scalars", "--format", "tensorboard")
  expect(await readdir(path)).toEqual(["pretrain"])
  const [name] = await readdir(join(path, "pretrain"))
  expect(name).toMatch(/^events\.out\.tfevents\.\d+\.millrace$/)
  const records = decodeRecords(await readFile(join(path, "pretrain", name!)), name!)
  const steps = decodeEvents(await readFile(join(out, id, "events.jsonl"), "utf8")).filter(
    (event) => event.type === "stage.step",
  )
  expect(steps).toHaveLength(3)
  expect(records).toHaveLength(1 + steps.length)
  for (const [i, { values }] of steps.entries()) {
    const record = Buffer.from(records[i + 1]!)
    for (const [tag, value] of Object.entries(values)) {
      // The tag, then field 2 as a float.
      const at = record.indexOf(Buffer.from([tag.length, ...Buffer.from(tag), 0x15])) + tag.length + 2
      expect(record.readFloatLE(at)).toBe(Math.fround(value))
    }
  }
})

test("events with a damaged line are not exported: the line is named", async () => {
  const damaged = join(out, "damaged")
  await cp(join(out, id), damaged, { recursive: true })
  const events = await readFile(join(damaged, "events.jsonl"), "utf8")
  await writeFile(join(damaged, "events.jsonl"), events.replace("\n", "\n{}\n"))
  const args = ["damaged", "--format", "tensorboard", "--to", join(folder, "nothing"), "--out", out]
  const { code, err } = await here(["export", ...args])
  expect(code).toBe(1)
  expect(err).toContain("line 2")
})

test.each([
  ["no stage", ["--format", "onnx"], /name one of corpus, tokenizer, pretrain/],
  ["an unknown stage", ["pretrian", "--format", "onnx"], /did you mean "pretrain"/],
  ["an unknown port", ["pretrain.in", "--format", "onnx"], /there is "pretrain.out"|pretrain\.out/],
  ["a stage that runs no tensors", ["corpus", "--format", "onnx"], /does neither/],
  ["an unknown format", ["pretrain", "--format", "pickle"], /safetensors/],
] as const)("%s is wrong usage of export", async (_, args, message) => {
  const { code, out: text, err } = await here(["export", id, ...args, "--to", join(folder, "wrong"), "--out", out])
  expect([code, text]).toEqual([2, ""])
  expect(err).toMatch(message)
})

test("export writes into no folder that has something in it", async () => {
  const path = await exported("full", "--format", "tensorboard")
  const { code, err } = await here(["export", id, "--format", "tensorboard", "--to", path, "--out", out])
  expect(code).toBe(2)
  expect(err).toContain("which has pretrain")
})

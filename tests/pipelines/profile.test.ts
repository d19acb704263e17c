import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { artifact, artifactKind, captureSync, defineStageNode, graph, outlinesOf, type Profile } from "@millrace/core"
import { instructgpt, instructgptPresets, pretrainStage } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { labeler, smallCorpus } from "./corpus.js"
import { here } from "./here.js"

const graphs = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs")
const [objective, counting] = [join(graphs, "objective.js"), join(graphs, "counting.js")]

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-profile-test-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** A text without its figures, of which every run has others, and without where the compiler lets the most memory live. */
const structure = (text: string): string =>
  text
    .replaceAll(/\d[\d,.]*(?:e−?\d+)?/g, "0")
    .replace(/ at most, in [^;]+;/, " at most, in NODE;")
    .replaceAll(/─+/g, "─")
    .replaceAll(/ {2,}/g, "  ")

describe("a graph of tensors", () => {
  test("with a loss is profiled as a training step: the heavy node is first, the trace holds its kernels", async () => {
    const trace = join(folder, "step.json")
    const { code, out, err } = await here(["profile", objective, "--size", "b=64", "--runs", "6", "--trace", trace])
    expect([code, err]).toEqual([0, `trace  ${trace}, for chrome://tracing or ui.perfetto.dev\n`])
    expect(structure(out.slice(0, out.indexOf("By node")))).toMatchInlineSnapshot(`
      "fixture.step on onnxruntime-node 0 cpu

      step  0 ms, the mean of the middle half of 0 runs; 0 ms with nothing recorded
      matrix products  0 ms, 0 % of the step; 0 GFLOP at 0 GFLOP/s
      against the peak 0 % of 0 GFLOP/s, a product of 0 × 0 on this machine;
        the whole step 0 %
      memory  values 0 MB at most, in NODE; the engine has allocated 0 MB
        state, inputs and constants 0 MB; the engine's process 0 MB

      "
    `)
    const rows = out.slice(out.indexOf("─"), out.indexOf("Kernels that")).split("\n").slice(1)
    const names = rows.map((row) => /^ {2}(\S.*?) {2}/.exec(row)?.[1] ?? "").filter((name) => name !== "")
    expect([...names].sort()).toEqual(["(engine)", "(outside of nodes)", "narrow", "square", "wide"])
    expect(names.indexOf("wide")).toBeLessThan(names.indexOf("narrow"))
    const { traceEvents } = JSON.parse(await readFile(trace, "utf8"))
    expect(traceEvents.filter(({ cat }: { cat?: string }) => cat === "kernel").length).toBeGreaterThan(20)
  })

  test("--json prints one document, with every node and every kernel of the program", async () => {
    const { code, out, err } = await here(["profile", objective, "--size", "b=4", "--runs", "2", "--json"])
    expect([code, err]).toEqual([0, ""])
    const told = JSON.parse(out) as Omit<Profile, "timeline">
    expect(told).toMatchObject({ name: "fixture.step", runs: 2 })
    expect(told).not.toHaveProperty("timeline")
    // Forward, and backward but for the input's gradient, which nobody asks for.
    const product = (hidden: number) => 2 * 4 * 128 * hidden
    expect(told.products.flops).toBe(6 * product(2048) + 5 * product(8))
    expect(told.equations.every(({ milliseconds, bytes }) => milliseconds >= 0 && bytes >= 0)).toBe(true)
  })

  test("a setting reaches the node whose step is profiled", async () => {
    const set = ["--set", "wide.hidden=16", "--size", "b=4", "--runs", "1", "--json"]
    const told = JSON.parse((await here(["profile", objective, ...set])).out) as Profile
    expect(told.products.flops).toBe(2 * 4 * 128 * (6 * 16 + 5 * 8))
  })
})

test("a stage of instructgpt is profiled without running any", async () => {
  const small = ["pretrain.model.width=16", "pretrain.model.layers=1", "pretrain.batch=2", "tokenizer.vocab=300"]
  const args = ["--stage", "pretrain", ...small.flatMap((one) => ["--set", one]), "--runs", "2", "--json"]
  const { code, out } = await here(["profile", "instructgpt", ...args])
  expect(code).toBe(0)
  const told = JSON.parse(out) as Profile
  expect(told.name).toBe("language-modelling.step")
  expect(told.paths.map(({ path }) => path.join(" > "))).toEqual(
    expect.arrayContaining(["policy", "policy > blocks.0", "loss", "(outside of nodes)", "(engine)"]),
  )
})

describe("outlines", () => {
  const { tiny } = instructgptPresets
  const recipe = instructgpt(tiny, smallCorpus, labeler)
  const inputsOf = (functions: ReturnType<ReturnType<typeof outlinesOf>[number]["functions"]>) =>
    Object.entries(functions).map(([name, make]) => [name, captureSync(make().fn).name, make().fn.inputs.tokens?.shape])

  test("say what every training stage of instructgpt runs, at its sizes", () => {
    const told = outlinesOf(recipe).flatMap(({ stage, functions }) =>
      inputsOf(functions()).map((one) => [stage, ...one]),
    )
    expect(told).toEqual([
      ["pretrain", "step", "language-modelling.step", [16, 32]],
      ["sft", "step", "fine-tuning.step", [16, 30]],
      ["reward", "step", "ranking.step", [8, 4, 30]],
      ["ppo", "update", "policy-update.step", [16, 30]],
      ["ppo", "experience", "experience", [32, 30]],
    ])
  })

  test("give every slot of state exactly the values that the function declares", () => {
    for (const { functions } of outlinesOf(recipe)) {
      for (const make of Object.values(functions())) {
        const { fn, state } = make()
        const shapes = (slots: typeof fn.state) =>
          Object.fromEntries(
            Object.entries(slots).map(([slot, specs]) => [
              slot,
              Object.fromEntries(Object.entries(specs).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
            ]),
          )
        expect(shapes(state)).toEqual(shapes(fn.state))
      }
    }
  })

  test("hand sizes on through nested graphs, and out of them", () => {
    const text = artifact(artifactKind("text", (value: string) => ({ "a.txt": new TextEncoder().encode(value) })))
    const seen: Array<unknown> = []
    const stage = (type: string, size: number) =>
      defineStageNode({
        type,
        version: 1,
        config: Schema.Struct({}),
        ports: { in: { text }, out: text },
        run: (_, inputs) => Effect.succeed(inputs.text),
        outline: (_config, { sizes }) => {
          seen.push([type, sizes("text")])
          return { sizes: { ...sizes("text"), [type]: size } }
        },
      })({})
    const inner = graph("inner", { text }).node("b", stage("b", 2), { text: "text" }).output({ made: "b" })
    const outer = graph("outer", { text })
      .node("a", stage("a", 1), { text: "text" })
      .node("inner", inner, { text: "a" })
      .node("c", stage("c", 3), { text: "inner.made" })
      .output("c")
    const stages = outlinesOf(outer, { given: 9 })
    expect(stages.map((one) => one.stage)).toEqual(["a", "inner.b", "c"])
    for (const { functions } of stages) functions()
    expect(seen).toEqual([
      ["a", { given: 9 }],
      ["b", { a: 1, given: 9 }],
      ["c", { a: 1, b: 2, given: 9 }],
    ])
  })

  test("name the size that no stage tells, and take it from whoever asks", () => {
    const { config } = pretrainStage(tiny.pretrain)
    expect(config).toMatchObject({ batch: 16 })
    const alone = graph("alone", pretrainStage(tiny.pretrain).in)
      .node("pretrain", pretrainStage(tiny.pretrain), { corpus: "corpus", tokenizer: "tokenizer" })
      .output("pretrain")
    expect(() => outlinesOf(alone)[0]!.functions()).toThrow(
      /BadConfig in pretrain > tokenizer\n {2}expected {2}the size "vocab"[\s\S]*--size vocab=…/,
    )
    const { step } = outlinesOf(alone, { vocab: 77 })[0]!.functions()
    expect(step!().fn.state.params!["policy.token"]!.shape).toEqual([77, 32])
  })
})

describe("what is written wrongly exits with 2 and a suggestion:", () => {
  test.each([
    ["an unknown graph", ["instructgtp"], /did you mean "instructgpt"/],
    [
      "an unknown stage",
      ["instructgpt", "--stage", "pretrian"],
      /BadConfig in instructgpt[\s\S]*did you mean "pretrain"/,
    ],
    ["no stage", ["instructgpt"], /name one: --stage pretrain, --stage sft, --stage reward, --stage ppo/],
    ["a stage without tensors", ["instructgpt", "--stage", "tokenizer"], /there is "pretrain", "sft", "reward", "ppo"/],
    ["an unknown function", ["instructgpt", "--stage", "ppo", "--function", "updat"], /did you mean "update"/],
    ["a graph none of whose stages tells", [counting], /stages first, total, none of which does/],
    ["a stage of a graph of tensors", [objective, "--stage", "wide"], /a graph of tensor nodes/],
    ["an axis without a size", [objective], /ShapeMismatch in fixture[\s\S]*fix {7}give --size b=…/],
    ["an axis that no input has", [objective, "--size", "bb=1"], /BadConfig in fixture[\s\S]*did you mean/],
    ["a size that a config fixes otherwise", [objective, "--size", "b=1", "--size", "d=3"], /ShapeMismatch in fixture/],
    ["a size that is no number", [objective, "--size", "b=many"], /write it as --size b=8/],
    ["no run", [objective, "--size", "b=1", "--runs", "0"], /runs/],
    ["an engine that does not measure", [objective, "--engine", "tfjs:cpu"], /onnx/],
  ])("%s", async (_, args, message) => {
    const { code, out, err } = await here(["profile", ...args])
    expect(err).toMatch(message)
    expect(err).not.toMatch(/\n\s+at /)
    expect([code, out]).toEqual([2, ""])
  })

  test("a trace that cannot be written fails with 1, after the profile was told", async () => {
    const nowhere = join(folder, "none", "trace.json")
    const { code, out, err } = await here(["profile", objective, "--size", "b=1", "--runs", "1", "--trace", nowhere])
    expect([code, out.startsWith("fixture.step on onnxruntime-node")]).toEqual([1, true])
    expect(err).toContain("BadData in --trace")
  })
})

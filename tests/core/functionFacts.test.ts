/** What a report tells of the tensor functions that stages call, and that telling it costs a run little. */

import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  artifact,
  artifactKind,
  costs,
  defineStageNode,
  forwardSubject,
  functionFacts,
  graph,
  graphHash,
  objectiveOf,
  recordRun,
  resolveSizes,
  storyOf,
  tensor,
} from "@millrace/core"
import { gpt } from "@millrace/models"
import { Effect, Schema } from "effect"
import { expect, test } from "vitest"
import { noEngine } from "./run/stages.js"

/** 175 thousand million parameters: no machine here could hold its weights. */
const large = { vocab: 50257, context: 2048, width: 12288, layers: 96, heads: 96 }
const small = { vocab: 64, context: 16, width: 8, layers: 2, heads: 2 }

const logits = (config: typeof small) =>
  graph("gpt", { tokens: tensor("int32", "b t", "token") })
    .node("logits", gpt.logits(config), { tokens: "tokens" })
    .output({ logits: "logits" })

const number = artifactKind("number", (value: number) => ({ value: new TextEncoder().encode(`${value}`) }))

/** A stage that would call a model: its outline alone says so. */
const calling = (config: typeof small, fail = false) =>
  defineStageNode({
    type: "test.calling",
    version: 1,
    config: Schema.Struct({}),
    ports: { in: {}, out: artifact(number) },
    outline: (_, { size }) => ({
      sizes: {},
      functions: {
        forward: () => {
          const of = logits(config)
          const { inputs } = resolveSizes(of, { b: fail ? size("nothing", "b") : 1, t: 8 })
          return forwardSubject(objectiveOf(of), inputs)
        },
      },
    }),
    run: () => Effect.succeed(1),
  })({})

const one = (config: typeof small, fail = false) =>
  graph("calls", {}).node("stage", calling(config, fail), {}).output("stage")

test("the objective's graph is told, and kernels whose arithmetic is that of the costs", () => {
  const [facts] = functionFacts(one(small)).get("stage") ?? []
  const of = logits(small)
  expect(facts).toMatchObject({ name: "forward", graph: { hash: graphHash(of), name: "gpt" } })
  const { flops } = costs(objectiveOf(of), resolveSizes(of, { b: 1, t: 8 }).inputs)
  expect(facts?.kernels?.reduce((sum, kernel) => sum + kernel.flops, 0)).toBe(flops.forward)
  expect(facts?.kernels?.[0]?.flops).toBe(Math.max(...(facts?.kernels ?? []).map(({ flops }) => flops)))
})

test("a model whose weights no memory holds is told in seconds: none is made", () => {
  const start = performance.now()
  const [facts] = functionFacts(one(large)).get("stage") ?? []
  expect(facts?.graph?.picture.boxes.some(({ notes }) => notes.some((note) => note.includes("parameters")))).toBe(true)
  expect(facts?.kernels?.reduce((sum, { flops }) => sum + flops, 0)).toBeGreaterThan(2 * 8 * 1.7e11)
  expect(performance.now() - start).toBeLessThan(20_000)
})

test("without time to capture, objectives are told and programs are not", () => {
  const [facts] = functionFacts(one(large), { mayCapture: () => false }).get("stage") ?? []
  expect(facts?.graph?.name).toBe("gpt")
  expect(facts?.kernels).toBeUndefined()
})

test("a stage that lacks a size tells nothing, and its run leaves its report all the same", async () => {
  expect(functionFacts(one(small, true))).toEqual(new Map())
  const root = await mkdtemp(join(tmpdir(), "millrace-facts-"))
  for (const [fails, buttons] of [
    [true, 0],
    [false, 2],
  ] as const) {
    const { folder } = await Effect.runPromise(recordRun(one(small, fails), { root, seed: 1 }).pipe(noEngine))
    const page = await readFile(join(folder.path, "report.html"), "utf8")
    expect(page.match(/<button[^>]* data-open="(?:objective|program)-/g) ?? []).toHaveLength(buttons)
  }
  await rm(root, { recursive: true })
})

test("a stage that was found and then runs after all, or goes on from a checkpoint, is told once", () => {
  const step = (n: number) =>
    ({ type: "stage.step", stage: "s", step: n, steps: 6, values: { loss: n }, amount: 1, unit: "x" }) as const
  const cached = {
    type: "stage.cached",
    stage: "s",
    node: "n@1",
    digests: { out: "d" },
    from: "r",
    seconds: 4,
  } as const
  const started = { type: "stage.started", stage: "s", node: "n@1" } as const
  const story = (events: ReadonlyArray<typeof cached | typeof started | ReturnType<typeof step>>) =>
    storyOf(events.map((event, sequence) => ({ ...event, sequence, secondsSinceStart: sequence }))).stages.get("s")
  expect(story([cached, step(1), step(2)])).toMatchObject({ status: "cached", from: "r", seconds: 4, steps: 6 })
  const after = story([cached, step(1), step(2), started, step(1)])
  expect(after).toMatchObject({ status: "running", from: undefined, amount: 1 })
  expect(after?.points.map(({ step }) => step)).toEqual([1])
  const resumed = story([started, step(1), step(2), step(3), started, step(3), step(4)])
  expect(resumed?.points.map(({ step }) => step)).toEqual([1, 2, 3, 4])
})

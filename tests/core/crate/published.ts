/** A small run with everything that a crate can hold: data, weights, numbers, images, a program, a graph in a graph. */
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import {
  artifact,
  artifactKind,
  canonicalJson,
  defineStageNode,
  encodeSafetensors,
  type Graph,
  graph,
  type HostTensors,
  parseJson,
  type RunFolder,
  recordRun,
  registry,
  Stage,
} from "@millrace/core"
import { type CrateOptions, readRun } from "@millrace/core/crate"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { noEngine } from "../run/stages.js"

const json = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

const listKind = artifactKind("list", (words: ReadonlyArray<string>) => ({
  "list.json": json({ source: "A list by nobody, CC0", train: words.map((title) => ({ title })) }),
}))
const weightsKind = artifactKind("weights", (w: ReadonlyArray<number>) => ({
  "config.json": json({ width: w.length }),
  "model.safetensors": encodeSafetensors({ w: { dtype: "float32", shape: [w.length], data: Float32Array.from(w) } }),
}))
const numbersKind = artifactKind(
  "numbers",
  (metrics: Readonly<Record<string, number>>) => ({ "metrics.json": json(metrics) }),
  (files) =>
    Effect.map(
      parseJson(new TextDecoder().decode(files["metrics.json"]), "metrics.json"),
      (value) => value as Readonly<Record<string, number>>,
    ),
)

const words = defineStageNode({
  type: "crate.words",
  version: 1,
  config: Schema.Struct({ words: Schema.Array(Schema.String) }),
  ports: { in: {}, out: artifact(listKind) },
  run: ({ words }) => (words.length === 0 ? Effect.fail(new Error("no words")) : Effect.succeed(words)),
})

const weights = artifact(weightsKind)
const state: HostTensors = { w: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } }

const learn = defineStageNode({
  type: "crate.learn",
  version: 2,
  source: "Nobody 2026, section 1",
  config: Schema.Struct({ steps: Schema.Int, fit: Schema.Struct({ rate: Schema.Finite, name: Schema.String }) }),
  ports: { in: { list: artifact(listKind) }, out: { last: weights, average: weights } },
  run: ({ steps, fit }, { list }) =>
    Effect.gen(function* () {
      const { emit, keep } = yield* Stage
      for (let step = 1; step <= steps; step++) {
        const loss = step === 2 ? Number.NaN : fit.rate / step
        yield* emit({ type: "stage.step", step, steps, values: { loss }, amount: 4, unit: "token" })
      }
      yield* keep("On the way: to it", { "000001.png": Uint8Array.of(1, 2, 3) }, "images")
      return { last: [list.length, fit.rate], average: [0.5, fit.rate] }
    }),
  outline: () => ({
    sizes: {},
    functions: {
      step: () => ({
        state: { weights: state },
        fn: {
          name: "learn",
          state: { weights: { w: { dtype: "float32", shape: [2] } } },
          inputs: { x: { dtype: "float32", shape: [2] } },
          body: ({ weights }, { x }) => ({ outputs: { y: tf.mul(tf.add(weights!.w!, x!), 2) } }),
        },
      }),
    },
  }),
})

const judge = defineStageNode({
  type: "crate.judge",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: { model: weights }, out: artifact(numbersKind) },
  run: (_, { model }) => Effect.succeed({ first: model[0]!, "second value": model[1]! }),
})

export const types = registry([words, learn, judge])

const learning = graph("learning", { list: artifact(listKind) })
  .node("learn", learn({ steps: 3, fit: { rate: 0.25, name: "sgd" } }), { list: "list" })
  .output({ model: "learn.average" })

const experimentOn = (list: ReadonlyArray<string>) =>
  graph("experiment", {})
    .node("words", words({ words: list }), {})
    .node("inner", learning, { list: "words" })
    .node("judge", judge({}), { model: "inner.model" })
    .output("judge")

export const experiment = experimentOn(["a", "b"])
/** Its first stage fails. */
export const failing = experimentOn([])

export const options: CrateOptions = {
  version: "0.0.0",
  license: "https://spdx.org/licenses/CC0-1.0",
  dataSets: [
    {
      stage: "words",
      port: "out",
      name: "experiment words",
      source: "A list by nobody, CC0",
      license: "https://spdx.org/licenses/CC0-1.0",
      manifest: "artifacts/words/out/list.json",
      records: [{ name: "train", at: "$.train[*]", fields: [{ name: "title", type: "Text", says: "A word" }] }],
    },
  ],
}

/** The record of a new run, and the folder of runs that it is in. */
export const recorded = async (
  graph: Graph = experiment,
  { root, cache = "off" }: { readonly root?: string; readonly cache?: "use" | "off" } = {},
) => {
  const runs = root ?? (await mkdtemp(join(tmpdir(), "millrace-crate-")))
  let folder = ""
  const begun = ({ path }: RunFolder): void => {
    folder = path
  }
  await Effect.runPromiseExit(recordRun(graph, { root: runs, seed: 7, cache, begun }).pipe(noEngine))
  return { root: runs, folder, record: await Effect.runPromise(readRun(basename(folder), folder, types)) }
}

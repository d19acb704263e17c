import { readFileSync } from "node:fs"
import {
  BadData,
  decodeSafetensors,
  flatten,
  float32,
  type HostTensor,
  type HostTensors,
  isParamSpec,
  mapTree,
  type ParamSpec,
} from "@millrace/core"
import {
  type ClipConfig,
  clipParams,
  fromCheckpoint,
  openAiClip,
  populationStatistics,
  type ResNetParams,
  resNetMoments,
  resNetParams,
  runningStatistics,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import { beforeAll, expect, test } from "vitest"
import { distance } from "../core/train/training.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

/** What open_clip's ResNet kept after one forward pass in training mode, from mean 0 and variance 1. */
const oracle = await Effect.runPromise(
  decodeSafetensors(
    readFileSync(new URL("../fixtures/parity/clip-resnet-batch.safetensors", import.meta.url)),
    "batch",
  ),
)
const size = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({ image: Schema.Struct({ size: Schema.Number, width: Schema.Number, heads: Schema.Number }) }),
  ),
)(oracle.metadata.config).image
const trains = { kind: "resnet", ...size, stages: [1, 1, 1, 1] } as const
const config: ClipConfig = {
  joint: 5,
  image: { ...trains, norm: "running" },
  text: { vocab: 9, context: 4, width: 6, layers: 1, heads: 1 },
}
const under = (prefix: string, tensors: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, each]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), each]] : [],
    ),
  )
const all = under(
  "image.",
  fromCheckpoint(
    openAiClip(config),
    flatten<ParamSpec>(clipParams(config), isParamSpec),
    under("param/", oracle.tensors),
    "batch",
  ),
)
const isStatistic = (name: string): boolean => /\.(mean|variance)$/.test(name)
const kept = Object.fromEntries(Object.entries(all).filter(([name]) => isStatistic(name)))
const begin: HostTensors = Object.fromEntries(
  Object.entries(kept).map(([name, { shape, data }]) => [
    name,
    float32(shape, new Float32Array(data.length).fill(name.endsWith("mean") ? 0 : 1)),
  ]),
)

const momentsOf = ({ data, shape }: HostTensor): HostTensors => {
  const p = mapTree<ParamSpec, tf.Tensor>(resNetParams(trains, 5), isParamSpec, (name) =>
    tf.tensor(all[name]!.data, [...all[name]!.shape]),
  )
  const moments = resNetMoments(p as ResNetParams, tf.tensor(data, [...shape]))
  return Object.fromEntries(
    Object.entries(moments).map(([name, x]) => [name, float32(x.shape, Float32Array.from(x.dataSync()))]),
  )
}
const moments = momentsOf(oracle.tensors["in/image"]!)

const expectNear = (got: HostTensors, wanted: HostTensors, tolerance: number): void => {
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort())
  for (const [name, { data }] of Object.entries(wanted)) {
    expect(distance(got[name]!.data, data), name).toBeLessThan(tolerance)
  }
}

test("one running step from mean 0 and variance 1 keeps what open_clip keeps, in every batch norm", () => {
  expect(Object.keys(kept)).toHaveLength(2 * (3 + 3 * 4 + 4))
  expectNear(runningStatistics(begin, moments), kept, 1e-5)
})

test("running on the same batch comes to its population statistics", () => {
  let running = begin
  for (let step = 0; step < 200; step++) running = runningStatistics(running, moments)
  expectNear(running, populationStatistics([moments]), 1e-5)
})

test("population statistics are the means over batches, in any order", () => {
  const other: HostTensors = Object.fromEntries(
    Object.entries(moments).map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        Float32Array.from(data, (v) => 3 * v),
      ),
    ]),
  )
  const doubled: HostTensors = Object.fromEntries(
    Object.entries(moments).map(([name, { shape, data }]) => [
      name,
      float32(
        shape,
        Float32Array.from(data, (v) => 2 * v),
      ),
    ]),
  )
  expectNear(populationStatistics([moments, other]), doubled, 1e-6)
  expectNear(populationStatistics([other, moments]), doubled, 1e-6)
})

test("statistics of no batch are refused", () => {
  expect(() => populationStatistics([])).toThrow(BadData)
})

/** What TensorFlow computes in operations of its own gives the numbers of tfjs:cpu; where TensorFlow is not installed, nothing runs. */
import { Engine, Engines, type HostTensor, withBackend } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { afterEach, describe, expect, test, vi } from "vitest"
// Which operations an engine is made of is not public.
import type { TensorFlowBackend } from "../../../packages/core/dist/tensorflow/raw.js"
import { registerRows } from "../../../packages/core/dist/tensorflow/register.js"
import { rows } from "../../../packages/core/dist/tensorflow/rows.js"
import { native } from "../engine/installed.js"
import { weighted, wrong } from "../onnx/slopes.js"
import { type RowCase, rowCases } from "./rowCases.js"

const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/** Numbers in −2 … 2. */
const operandsOf = ({ shapes }: RowCase, seed: number): ReadonlyArray<tf.Tensor> =>
  shapes.map((shape, k) =>
    tf.tensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 7.31 * k + seed)),
      [...shape],
    ),
  )

const download = (x: tf.Tensor): HostTensor => ({
  dtype: "float32",
  shape: x.shape,
  data: x.dataSync<"float32">().slice(),
})

/** Results and, where there are some, gradients. */
const on = (backend: string, found: RowCase, seed: number): ReadonlyArray<HostTensor> =>
  withBackend(backend, () => {
    tf.engine().startScope("row")
    try {
      const given = operandsOf(found, seed)
      const made = found.call(given)
      const slopes = found.differentiable ? tf.grads((...x) => weighted(found.call(x)[0]!))([...given]) : []
      return [...made, ...slopes].map(download)
    } finally {
      tf.engine().endScope()
    }
  })

test("every row has cases, and no other", () => {
  expect(Object.keys(rowCases).sort()).toEqual(rows.map(({ name }) => name).sort())
})

test.runIf(native.length === 0)("tfjs:node is missing here, so that its rows did not run", async ({ task }) => {
  task.meta.notRun = "tfjs:node"
  const error = await Effect.runPromise(Effect.flip(Effect.scoped(Effect.provide(Engine, Engines.layer("tfjs:node")))))
  expect(error._tag).toBe("EngineMissing")
})

describe.each(native)("on %s", () => {
  afterEach(() => {
    registerRows()
  })
  const ran = (found: RowCase): ReadonlyArray<string> => {
    const backend = tf.findBackend("tensorflow") as TensorFlowBackend
    const spy = vi.spyOn(backend, "executeMultipleOutputs")
    on("tensorflow", found, 1)
    const names = spy.mock.calls.map(([name]) => name)
    spy.mockRestore()
    return names
  }

  describe.each(rows)("$name", ({ name, raw }) => {
    test.each(rowCases[name]!)("$what: gives the numbers of tfjs:cpu, and its gradients", (found) => {
      for (const seed of [1, 2, 3]) {
        const [got, wanted] = [on("tensorflow", found, seed), on("cpu", found, seed)]
        expect(got.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape))
        for (const [i, { data }] of wanted.entries()) expect(wrong(got[i]!.data, [...data], 2e-5), `${i}`).toBe(null)
      }
    })

    test("runs the operations that it names, and without the row none of them", () => {
      registerRows((row) => row.name === name)
      expect(ran(rowCases[name]![0]!)).toEqual(expect.arrayContaining([...raw]))
      registerRows((row) => row.name !== name)
      for (const operation of raw) expect(ran(rowCases[name]![0]!)).not.toContain(operation)
    })
  })

  test("a step of AdamW leaves the tensors that it was given", () => {
    const found = rowCases.AdamW![0]!
    withBackend("tensorflow", () =>
      tf.tidy(() => {
        const given = operandsOf(found, 1)
        const before = given.map(download)
        found.call(given)
        expect(given.map(download)).toEqual(before)
      }),
    )
  })

  test("no tensor stays behind", () => {
    for (const cases of Object.values(rowCases)) on("tensorflow", cases[0]!, 1)
    const before = tf.memory().numTensors
    for (const cases of Object.values(rowCases)) for (const found of cases) on("tensorflow", found, 2)
    expect(tf.memory().numTensors).toBe(before)
  })
})

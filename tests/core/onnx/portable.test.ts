/** Models for providers that lack the operators which ONNX Runtime has for the CPU alone. */
import { Buffer } from "node:buffer"
import { captureSync, float32, sizeOf, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Tensor } from "onnxruntime-node"
import { expect, test } from "vitest"
// What runs in the engine's process is not public.
import { makeSession } from "../../../packages/core/dist/engine/makeSession.js"
import { lower } from "../../../packages/core/dist/onnx/lower.js"

const cpu = makeSession({ threads: 1, provider: "cpu", probe: null })

/** Whether a model has a node of that operator: field 4 of a node, a text. */
const hasOperator = (model: Uint8Array, op: string): boolean =>
  Buffer.from(model).includes(Buffer.concat([Buffer.from([0x22, op.length]), Buffer.from(op)]))

test("a model without the operators of the CPU alone computes the same, in every layout of two factors", async () => {
  const shape = (transposed: boolean, rows: number, columns: number) =>
    transposed ? [2, 3, columns, rows] : [2, 3, rows, columns]
  for (const [transposeA, transposeB] of [
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const inputs = { a: spec("float32", shape(transposeA, 4, 5)), b: spec("float32", shape(transposeB, 5, 6)) }
    const program = captureSync({
      name: "product",
      state: {},
      inputs,
      body: (_, { a, b }) => ({
        outputs: { y: tf.matMul(a as tf.Tensor4D, b as tf.Tensor4D, transposeA, transposeB) },
      }),
    })
    const values = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]) => [
        name,
        float32(
          shape,
          Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + name.length)),
        ),
      ]),
    )
    const lowered = lower(program, { portable: true })
    expect([lowered, lower(program)].map(({ bytes }) => hasOperator(bytes, "FusedMatMul"))).toEqual([false, true])
    const run = async (bytes: Uint8Array) => {
      const y = new Tensor("float32", new Float32Array(2 * 3 * 4 * 6), [2, 3, 4, 6])
      const feeds = Object.entries(values).map(([name, { data, shape }]) => [name, new Tensor("float32", data, shape)])
      await (await cpu.plain(bytes)).run(Object.fromEntries(feeds), { y })
      return [...y.data].map((value) => Number(value).toFixed(4))
    }
    expect(await run(lowered.bytes)).toEqual(await run(lower(program).bytes))
  }
})

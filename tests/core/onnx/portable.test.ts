/** Models for providers that lack the operators which ONNX Runtime has for the CPU alone. */
import { Buffer } from "node:buffer"
import { captureSync, sizeOf, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { Tensor } from "onnxruntime-node"
import { expect, test } from "vitest"
// What runs in the engine's process is not public.
import { makeSession } from "../../../packages/core/dist/engine/makeSession.js"
import { wholeModel } from "../../../packages/core/dist/engine/model.js"
import { lower } from "../../../packages/core/dist/onnx/lower.js"
import { withoutFusedMatMul } from "../../../packages/core/dist/onnx/portable.js"
import { encodeModel, type NodeProto } from "../../../packages/core/dist/onnx/proto.js"
import { optimize } from "../../../packages/core/dist/program/passes.js"

const cpu = makeSession({ threads: 1, provider: "cpu", probe: null })

/** Whether a model has a node of that operator: field 4 of a node, a text. */
const hasOperator = (model: Uint8Array, op: string): boolean =>
  Buffer.from(model).includes(Buffer.concat([Buffer.from([0x22, op.length]), Buffer.from(op)]))

interface Flags {
  readonly transA: number
  readonly transB: number
  readonly transBatchA: number
  readonly transBatchB: number
  readonly alpha: { readonly float: number }
}

const shapeOf = (batch: number, transposed: number, rows: number, columns: number): ReadonlyArray<number> => {
  const [first, last] = transposed === 1 ? [columns, rows] : [rows, columns]
  return batch === 1 ? [first, 2, 3, last] : [2, 3, first, last]
}

const product = (flags: Flags) => {
  const attributes = { ...flags }
  const a = { name: "a", dtype: "float32", shape: shapeOf(flags.transBatchA, flags.transA, 4, 5) } as const
  const b = { name: "b", dtype: "float32", shape: shapeOf(flags.transBatchB, flags.transB, 5, 6) } as const
  const y = { name: "y", dtype: "float32", shape: [2, 3, 4, 6] } as const
  const node: NodeProto = {
    name: "p",
    op: "FusedMatMul",
    domain: "com.microsoft",
    inputs: ["a", "b"],
    outputs: ["y"],
    attributes,
  }
  const model = (nodes: ReadonlyArray<NodeProto>): Uint8Array =>
    encodeModel({
      name: "product",
      producer: "test",
      opsets: { "": 21, "com.microsoft": 1 },
      nodes,
      initializers: [],
      inputs: [a, b],
      outputs: [y],
    })
  const run = async (bytes: Uint8Array): Promise<ReadonlyArray<string>> => {
    const out = new Tensor("float32", new Float32Array(144), y.shape)
    const tensor = ({ name, shape }: typeof a | typeof b) =>
      new Tensor(
        "float32",
        Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + name.length)),
        shape,
      )
    const session = await cpu.plain(wholeModel(bytes))
    await session.run({ a: tensor(a), b: tensor(b) }, { y: out })
    await session.release()
    return [...out.data].map((value) => Number(value).toFixed(4))
  }
  return { node, model, run }
}

test("a model without FusedMatMul computes the same, in every layout of two factors and at any scale", async () => {
  const bit = fc.nat(1)
  const flags = fc.record({ transA: bit, transB: bit, transBatchA: bit, transBatchB: bit })
  await fc.assert(
    fc.asyncProperty(flags, fc.constantFrom(1, 0.125, -3), async (drawn, float) => {
      const { node, model, run } = product({ ...drawn, alpha: { float } })
      const portable = model(withoutFusedMatMul([node], () => 4))
      expect([portable, model([node])].map((bytes) => hasOperator(bytes, "FusedMatMul"))).toEqual([false, true])
      expect(await run(portable)).toEqual(await run(model([node])))
    }),
    { numRuns: 40 },
  )
})

test("a product of factors whose ranks are not known stays as it is", () => {
  const { node } = product({ transA: 1, transB: 0, transBatchA: 0, transBatchB: 0, alpha: { float: 1 } })
  expect(withoutFusedMatMul([node], () => undefined)).toEqual([node])
})

test("programs are written without it for providers that lack it, and with it for the CPU", () => {
  const x = spec("float32", [2, 3, 4])
  const program = captureSync({
    name: "product",
    state: {},
    inputs: { x },
    body: (_, inputs) => ({ outputs: { y: tf.matMul(inputs.x as tf.Tensor3D, inputs.x as tf.Tensor3D, false, true) } }),
  })
  const models = [lower(program), lower(program, { portable: true })]
  expect(models.map(({ bytes }) => hasOperator(bytes, "FusedMatMul"))).toEqual([true, false])
})

test("the gradient of a filter of three rows is written without it for providers that lack it", () => {
  const [x, w] = [spec("float32", [2, 16, 8, 16]), spec("float32", [3, 3, 16, 16])]
  const program = optimize(
    captureSync({
      name: "filter gradient",
      state: {},
      inputs: { x, w },
      body: (_, given) => {
        const conv = (filter: tf.Tensor): tf.Tensor =>
          tf.conv2d(given.x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same")
        return { outputs: { dw: tf.grad((filter: tf.Tensor) => tf.sum(tf.square(conv(filter))))(given.w!) } }
      },
    }),
  )
  const models = [lower(program), lower(program, { portable: true })]
  expect(models.map(({ bytes }) => hasOperator(bytes, "FusedMatMul"))).toEqual([true, false])
})

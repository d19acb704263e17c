import {
  captureSync,
  Engine,
  Engines,
  type HostTensor,
  type HostTensors,
  type TensorFunction,
  toOnnx,
} from "@millrace/core"
import { Effect } from "effect"
import fc from "fast-check"
import { expect, test } from "vitest"
import { inputSpecs, inputValues, kernelBody, type Sizes } from "./kernelCases.js"

const functionOf = (sizes: Sizes): TensorFunction => ({
  name: "kernels",
  state: {},
  inputs: inputSpecs(sizes),
  body: (_, inputs) => ({ outputs: kernelBody(sizes)(inputs) }),
})

/** A small generator for inputs: fast-check draws its seed. */
const uniforms = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const runOn = (engine: string, fn: TensorFunction, inputs: HostTensors): Promise<HostTensors> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(fn)
    return yield* run({ inputs })
  }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine, { threads: 2 })), Effect.runPromise)

/** Both NaN, equal, or within the tolerance. */
const close = (a: number, b: number): boolean =>
  Object.is(a, b) ||
  a === b ||
  (Number.isNaN(a) && Number.isNaN(b)) ||
  Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b))

const difference = (got: HostTensor, wanted: HostTensor): string | null => {
  if (got.dtype !== wanted.dtype) return `${got.dtype} instead of ${wanted.dtype}`
  if (String(got.shape) !== String(wanted.shape)) return `[${got.shape}] instead of [${wanted.shape}]`
  const i = wanted.data.findIndex((value, k) =>
    wanted.dtype === "float32" ? !close(got.data[k]!, value) : got.data[k] !== value,
  )
  return i < 0 ? null : `${got.data[i]} instead of ${wanted.data[i]} at ${i}`
}

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 6 }),
  columns: fc.integer({ min: 2, max: 7 }),
  count: fc.integer({ min: 1, max: 9 }),
})

test("every kernel gives on ONNX Runtime what it gives on tfjs", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer(), async (drawn, seed) => {
      const fn = functionOf(drawn)
      const inputs = inputValues(drawn, uniforms(seed))
      const [got, wanted] = await Promise.all([runOn("onnx", fn, inputs), runOn("tfjs:cpu", fn, inputs)])
      const wrong = Object.keys(wanted).flatMap((name) => {
        const found = difference(got[name]!, wanted[name]!)
        return found === null ? [] : [`${name}: ${found}`]
      })
      expect(wrong).toEqual([])
    }),
    { numRuns: 6 },
  )
})

test("the cases call every kernel that programs are made of", () => {
  const { equations } = captureSync(functionOf({ rows: 4, columns: 5, count: 6 }))
  expect([...new Set(equations.map(({ op }) => op))].sort().join(" ")).toMatchInlineSnapshot(
    `"Abs Acos Acosh Add AddN All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh BatchMatMul Cast Ceil ClipByValue Concat Cos Cosh Cumprod Cumsum Elu EluGrad EmbedGrad Equal Erf Exp ExpandDims Expm1 Fill Floor FloorDiv GatherNd GatherV2 GeluTanh Greater GreaterEqual IsFinite IsInf IsNan LayerNorm LeakyRelu Less LessEqual LinSpace Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr Max Maximum Mean Min Minimum Mod Multiply Neg NotEqual OneHot OnesLike Pack PadV2 Pow Prelu Prod Range RealDiv Reciprocal Relu Relu6 Reshape Reverse Round Rsqrt ScatterNd Select Selu Sigmoid Sign Sin Sinh Slice Softmax Softplus SplitV Sqrt Square SquaredDifference Step StridedSlice Sub Sum Tan Tanh TensorScatterUpdate Tile TopK Transpose Unpack UnsortedSegmentSum ZerosLike _FusedMatMul"`,
  )
})

test("a kernel without a lowering is an error that names it and its place", () => {
  const value = { id: 0, dtype: "float32", shape: [1] } as const
  const made = { ...value, id: 1 }
  const program = {
    name: "odd",
    inputs: [{ name: "x", slot: null, value }],
    constants: [],
    equations: [{ op: "FFT", inputs: [value], attrs: {}, outputs: [made], path: "dvae > encoder" }],
    outputs: [{ name: "y", slot: null, value: made }],
  }
  expect(() => toOnnx(program)).toThrow(/UnsupportedOp in dvae > encoder[\s\S]*FFT/)
})

test("the same program is the same bytes, with its names in them", () => {
  const program = captureSync(functionOf({ rows: 2, columns: 3, count: 2 }))
  const bytes = toOnnx(program)
  expect(Buffer.compare(bytes, toOnnx(program))).toBe(0)
  expect(Buffer.from(bytes).includes("millrace.sha256")).toBe(true)
})

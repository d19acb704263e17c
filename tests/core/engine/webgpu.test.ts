/** The engine on a GPU where there is one; where there is none, that nobody computes on the CPU believing otherwise. */
import { Buffer } from "node:buffer"
import { doctor, Engine, Engines, type HostTensors, render, type TensorFunction } from "@millrace/core"
import { Effect, Layer } from "effect"
import { expect, test } from "vitest"
// What runs in the engine's process is not public.
import { makeSession } from "../../../packages/core/dist/engine/makeSession.js"
import { misplaced, placedSession } from "../../../packages/core/dist/engine/placement.js"
import { probe } from "../../../packages/core/dist/engine/probe.js"
import { inputSpecs, inputValues, kernelBody } from "../onnx/kernelCases.js"

const missing = await Effect.runPromise(
  Layer.build(Engines.layer("onnx:webgpu")).pipe(
    Effect.scoped,
    Effect.as(null),
    Effect.catch((error) => Effect.succeed(error)),
  ),
)

test.runIf(missing !== null)("without a GPU the engine is missing, says why, and what to do", async () => {
  expect(missing!._tag).toBe("EngineMissing")
  expect(render(missing!)).toMatch(/^EngineMissing in onnx:webgpu\n {2}expected .*webgpu provider[\s\S]*fix .*driver/)
  expect(missing!.received).not.toBe("")
  const found = (await Effect.runPromise(doctor())).find(({ engine }) => engine === "onnx:webgpu")
  expect(found).toEqual({
    engine: "onnx:webgpu",
    state: "missing",
    reason: missing!.received,
    remedy: missing!.fix,
  })
})

const cpu = makeSession({ threads: 1, provider: "cpu", probe: null })
const model = (): Uint8Array => Buffer.from(probe().model, "base64")
const run = async (provider: string): Promise<unknown> => {
  const { Tensor } = await import("onnxruntime-node")
  const session = await placedSession(provider, cpu.recording, model())
  const { size } = probe()
  const shape = [size, size]
  const matrix = () => new Tensor("float32", new Float32Array(size * size).fill(1), shape)
  try {
    const fetched = await session.run({ x: matrix() }, { y: matrix() })
    return fetched.y!.data
  } finally {
    await session.release()
  }
}

test("a session that quietly ran on the CPU in the place of the GPU fails", async () => {
  await expect(run("WebGpuExecutionProvider")).rejects.toThrow(
    "none of 1 kernels ran on WebGpuExecutionProvider, all on CPUExecutionProvider",
  )
  expect(await run("CPUExecutionProvider")).toEqual(new Float32Array(256).fill(16))
})

test("one product on the CPU is one too many, and is named; small kernels there are not", () => {
  const kernel = (name: string, op: string, provider: string) => ({
    name,
    op,
    provider: `${provider}ExecutionProvider`,
  })
  const gpu = "WebGpuExecutionProvider"
  const most = [kernel("a/MatMul", "MatMul", "WebGpu"), kernel("a/Gather", "Gather", "CPU")]
  expect(misplaced(gpu, most)).toBeNull()
  expect(misplaced(gpu, [...most, kernel("b/Conv", "FusedConv", "CPU")])).toBe(
    "b/Conv (FusedConv) ran on CPUExecutionProvider instead of WebGpuExecutionProvider",
  )
  expect(misplaced(gpu, [kernel("copy", "MemcpyToHost", "WebGpu"), kernel("a/Add", "Add", "CPU")])).toContain(
    "none of 1",
  )
})

const sizes = { rows: 4, columns: 5, count: 6 }
const kernels: TensorFunction = {
  name: "kernels",
  state: {},
  inputs: inputSpecs(sizes),
  body: (_, inputs) => ({ outputs: kernelBody(sizes)(inputs) }),
}

const runOn = (engine: string, inputs: HostTensors): Promise<HostTensors> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    return yield* (yield* compile(kernels)).run({ inputs })
  }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine)), Effect.runPromise)

test.skipIf(missing !== null)("every kernel gives on the GPU what it gives on tfjs", async () => {
  let state = 1
  const inputs = inputValues(sizes, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  })
  const [got, wanted] = [await runOn("onnx:webgpu", inputs), await runOn("tfjs:cpu", inputs)]
  // GPUs round their functions of one number more coarsely than CPUs.
  const close = (a: number, b: number): boolean =>
    a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(b))
  const wrong = Object.entries(wanted).flatMap(([name, { data }]) => {
    const at = data.findIndex((value, i) => !close(got[name]!.data[i]!, value))
    return at < 0 ? [] : [`${name}: ${got[name]!.data[at]} instead of ${data[at]} at ${at}`]
  })
  expect(wrong).toEqual([])
})

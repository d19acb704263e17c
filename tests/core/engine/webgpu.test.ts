/** The engine on a GPU where there is one; where there is none, that nobody computes on the CPU believing otherwise. */
import { Buffer } from "node:buffer"
import {
  adamW,
  doctor,
  Engine,
  Engines,
  type HostTensors,
  initParams,
  int32,
  keyFromSeed,
  objectiveOf,
  profile,
  render,
  spec,
  type TensorFunction,
  trainingSubject,
} from "@millrace/core"
import { languageModelling, makeTrainer } from "@millrace/pipelines"
import { Effect, Layer } from "effect"
import { expect, test } from "vitest"
// What runs in the engine's process is not public.
import { makeSession } from "../../../packages/core/dist/engine/makeSession.js"
import { wholeModel } from "../../../packages/core/dist/engine/model.js"
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
  const session = await placedSession(provider, cpu.recording, wholeModel(model()))
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

/** The language of WebGPU leaves open what the larger and the smaller of a number and NaN are. */
const losesNaN = new Set(["relu", "relu6", "clip"].map((name) => `${name} of special values`))

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
    const free = (value: number): boolean => losesNaN.has(name) && Number.isNaN(value)
    const at = data.findIndex((value, i) => !free(value) && !close(got[name]!.data[i]!, value))
    return at < 0 ? [] : [`${name}: ${got[name]!.data[at]} instead of ${data[at]} at ${at}`]
  })
  expect(wrong).toEqual([])
})

test.skipIf(missing !== null)("a GPT learns on the GPU as on the CPU, and its profile adds up", async () => {
  const config = { vocab: 64, context: 8, width: 16, layers: 1, heads: 2 }
  const objective = objectiveOf(languageModelling(config))
  const training = {
    inputs: { tokens: spec("int32", [2, 8]) },
    optimizer: adamW,
    schedule: { kind: "constant", peak: 1e-2, warmup: 0, floor: 1 },
    steps: 10,
    clip: 1,
  } as const
  const tokens = int32(
    [2, 8],
    Array.from({ length: 16 }, (_, i) => (7 * i) % 64),
  )
  const losses = (engine: string): Promise<ReadonlyArray<number>> =>
    Effect.gen(function* () {
      const initial = initParams(objective.paramSpecs, keyFromSeed(3))
      const trainer = yield* makeTrainer({ objective, initial, inputs: training.inputs, config: training })
      const steps = yield* Effect.forEach([1, 2, 3, 4], () => trainer.step({ tokens }))
      return steps.map(({ loss }) => loss!)
    }).pipe(Effect.scoped, Effect.provide(Engines.layer(engine)), Effect.runPromise)
  const [got, wanted] = [await losses("onnx:webgpu"), await losses("onnx")]
  got.forEach((loss, i) => {
    expect(loss).toBeCloseTo(wanted[i]!, 4)
  })

  const { fn, state } = trainingSubject(objective, training)
  const found = await profile(fn, { state, runs: 3, peak: false }).pipe(
    Effect.provide(Engines.layer("onnx:webgpu")),
    Effect.runPromise,
  )
  const roots = found.paths.filter(({ path }) => path.length === 1)
  expect(roots.reduce((all, { milliseconds }) => all + milliseconds, 0)).toBeCloseTo(found.milliseconds, 6)
  expect(found.parts.session).toBeGreaterThan(0)
  expect(found.products.milliseconds).toBeGreaterThan(0)
})

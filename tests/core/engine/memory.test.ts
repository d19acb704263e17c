/** What the engine's process keeps: nothing of a step, nothing of a program that was released. Read from /proc: Linux alone has it. */
import { readdirSync, readFileSync } from "node:fs"
import {
  adamW,
  Engine,
  float32,
  initOptimizer,
  type Objective,
  slots,
  spec,
  type TensorFunction,
  trainStep,
  zeros,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { on } from "./on.js"

// V8 grows its heap before it collects: by 8 MB at a time, which would hide what is lost. The engine's process inherits this.
const options = process.env.NODE_OPTIONS
beforeAll(() => {
  process.env.NODE_OPTIONS = "--max-semi-space-size=1 --max-old-space-size=24"
})
afterAll(() => {
  if (options === undefined) delete process.env.NODE_OPTIONS
  else process.env.NODE_OPTIONS = options
})

const long = process.env.MILLRACE_LONG !== undefined
const onLinux = test.runIf(process.platform === "linux")

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // The process has ended in between.
  }
}

/** The engine process that this process has started. */
const childOf = (parent: number): number => {
  const found = readdirSync("/proc").filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(`/proc/${pid}/status`).includes(`\nPPid:\t${parent}\n`) &&
      read(`/proc/${pid}/cmdline`).includes("engine/child.js"),
  )
  if (found.length !== 1) throw new Error(`expected one engine process, found ${found.length}`)
  return Number(found[0])
}
/** Resident memory of a process in MB. */
const residentOf = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]) / 1024

const width = 24
const params = { w1: [width, width], b1: [width], w2: [width, width], b2: [width] } as const
/** A net with one hidden layer. */
const objective: Objective = {
  name: "net",
  paramSpecs: Object.fromEntries(Object.entries(params).map(([name, shape]) => [name, { shape, init: zeros }])),
  trainable: Object.keys(params),
  apply: ({ w1, b1, w2, b2 }, { x }) => {
    const hidden = tf.tanh(tf.add(tf.matMul(x!, w1!), b1!))
    return { loss: tf.mean(tf.square(tf.sub(tf.add(tf.matMul(hidden, w2!), b2!), 1))) }
  },
}
const wave = (shape: ReadonlyArray<number>) => {
  const data = new Float32Array(shape.reduce((n, d) => n * d, 1))
  return float32(
    shape,
    data.map((_, i) => Math.sin(i) / 4),
  )
}
const inputs = { x: wave([8, width]) }

const trainer = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const executable = yield* compile(
    trainStep(objective, {
      inputs: { x: spec("float32", [8, width]) },
      optimizer: adamW,
      schedule: { kind: "constant", peak: 1e-4, warmup: 0, floor: 1 },
      steps: 1e6,
      clip: 1,
    }),
  )
  const state = {
    [slots.params]: yield* allocate(
      Object.fromEntries(Object.entries(params).map(([name, shape]) => [name, wave(shape)])),
    ),
    [slots.frozen]: yield* allocate({}),
    [slots.optimizer]: yield* allocate(initOptimizer(objective)),
  }
  return { executable, state }
})

const steps = long ? 10_000 : 2_000
onLinux(
  `${steps} steps of training, one by one and in loops, make the engine's process no larger than by 5 MB`,
  () =>
    on(
      "onnx",
      Effect.gen(function* () {
        const { executable, state } = yield* trainer
        const pid = childOf(process.pid)
        const run = (count: number) =>
          Effect.gen(function* () {
            for (let i = 0; i < count; i++) yield* executable.run({ state, inputs })
            yield* executable.loop({ state, steps: count, inputs, collect: ["loss"] })
          })
        // The allocators and V8's compiled code have settled after about 6,000 steps, half of them in the loop.
        yield* run(4000)
        const before = residentOf(pid)
        yield* run(steps / 2)
        const after = residentOf(pid)
        console.info(`${steps} steps: ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`)
        expect(after - before).toBeLessThan(5)
      }),
      1,
    ),
  120_000,
)

/** A small program that no other equals: its constant is part of it. */
const different = (k: number): TensorFunction => ({
  name: `different${k}`,
  state: { s: { p: spec("float32", [64, 64]), q: spec("float32", [64, 64]) } },
  inputs: {},
  body: ({ s }) => ({
    outputs: { total: tf.sum(tf.matMul(s!.p!, s!.q!)) },
    state: { s: { p: tf.add(tf.mul(s!.p!, 0.5), k), q: tf.matMul(s!.q!, tf.mul(s!.p!, k / 1e6)) } },
  }),
})

onLinux(
  "100 programs compiled, run and released one after the other leave less than 20 MB behind",
  () =>
    on(
      "onnx",
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const s = yield* allocate({ p: wave([64, 64]), q: wave([64, 64]) })
        const cycle = (k: number) =>
          Effect.scoped(Effect.flatMap(compile(different(k)), ({ run }) => run({ state: { s }, inputs: {} })))
        const pid = childOf(process.pid)
        for (let k = 0; k < 40; k++) yield* cycle(k)
        const before = residentOf(pid)
        for (let k = 40; k < 140; k++) yield* cycle(k)
        const after = residentOf(pid)
        console.info(`100 programs: ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`)
        expect(after - before).toBeLessThan(20)
      }),
      1,
    ),
  120_000,
)

import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { doctor, Engine, Engines, engineNames, float32, int32, render, spec, type TensorFunction } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Fiber, Layer } from "effect"
import { describe, expect, test } from "vitest"
import { on } from "./on.js"

const shift: TensorFunction = {
  name: "shift",
  state: { memory: { total: spec("float32", [2]) } },
  inputs: { x: spec("float32", [2]), n: spec("int32", []) },
  body: ({ memory }, { x }) => {
    const total = tf.add(memory!.total!, x!)
    return { outputs: { total }, state: { memory: { total } } }
  },
}

/** Some hundredths of a second a call. */
const heavy: TensorFunction = {
  name: "heavy",
  state: { memory: { x: spec("float32", [512, 512]) } },
  inputs: { scale: spec("float32", []) },
  body: ({ memory }, { scale }) => {
    let x = memory!.x!
    for (let i = 0; i < 8; i++) x = tf.mul(tf.matMul(x, x), scale!)
    return { outputs: { sum: tf.sum(x) }, state: { memory: { x } } }
  },
}
const square = float32([512, 512], new Float32Array(512 * 512).fill(1 / 512))

describe.each(["onnx", "tfjs:cpu"])("%s", (engine) => {
  test("all that does not fit is told at once, before anything runs", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const executable = yield* compile(shift)
        const memory = yield* allocate({ total: float32([2], [1, 1]) })
        const error = yield* Effect.flip(
          executable.run({
            state: { memory, other: memory },
            inputs: { x: float32([3], [1, 2, 3]), y: int32([], [1]) },
          }),
        )
        expect(render(error)).toMatchInlineSnapshot(`
          "ShapeMismatch in shift
            expected  one of the slots memory
                      x float32[2]
                      n int32[]
                      no y
            received  a state for other
                      x float32[3]
                      n is missing
                      y int32[]
            fix       pass what the function declares: every input and slot, with these types"
        `)
        expect([...(yield* memory.read()).total!.data]).toEqual([1, 1])
      }),
    ))

  test("a loop's wires are checked", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { compile, allocate } = yield* Engine
        const executable = yield* compile(shift)
        const memory = yield* allocate({ total: float32([2], [1, 1]) })
        const error = yield* Effect.flip(
          executable.loop({
            state: { memory },
            steps: 2,
            inputs: {},
            each: { x: float32([3, 2], [1, 2, 3, 4, 5, 6]) },
            first: { n: int32([], [1]) },
            carry: { total: "n" },
            collect: ["total"],
          }),
        )
        expect(error._tag).toBe("ShapeMismatch")
        expect(error.expected).toContain("each x float32[2, 2]")
        expect([...(yield* memory.read()).total!.data]).toEqual([1, 1])
      }),
    ))

  test("a state is written only with the types that it has", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        const memory = yield* allocate({ total: float32([2], [1, 1]) })
        const error = yield* Effect.flip(memory.write({ total: float32([3], [1, 2, 3]), more: int32([], [1]) }))
        expect(error._tag).toBe("ShapeMismatch")
        expect((yield* Effect.flip(memory.read(["less"])))._tag).toBe("EngineFailed")
        expect([...(yield* memory.read()).total!.data]).toEqual([1, 1])
      }),
    ))

  test("a state is of no use after its scope", () =>
    on(
      engine,
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        const memory = yield* Effect.scoped(allocate({ total: float32([2], [1, 1]) }))
        expect((yield* Effect.flip(memory.read())).received).toContain("freed")
      }),
    ))
})

test("an unknown engine is answered with the nearest name", async () => {
  const error = await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(Engines.layer("onx")))))
  expect(render(error)).toMatchInlineSnapshot(`
    "EngineMissing in Engines.layer
      expected  one of onnx, onnx:webgpu, tfjs:cpu, tfjs:wasm, tfjs:node, tfjs:node-gpu
      received  onx
      fix       did you mean onnx? run \`millrace engines\` to see what this machine has"
  `)
})

test("the doctor tells of every engine whether it runs here, and how to get it", async () => {
  const found = await Effect.runPromise(doctor())
  expect(found.map(({ engine }) => engine)).toEqual([...engineNames])
  for (const one of found) {
    if (one.state === "missing") expect(one.remedy).toMatch(/npm install|millrace engines add|install the GPU's driver/)
  }
  const ready = found.filter(({ state }) => state === "ready").map(({ engine }) => engine)
  expect(ready).toEqual(expect.arrayContaining(["onnx", "tfjs:cpu", "tfjs:wasm"]))
})

/** The engine processes that this process has started. */
const children = (): ReadonlyArray<number> => {
  try {
    return execFileSync("pgrep", ["-P", String(process.pid), "-f", "engine/child.js"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number)
  } catch {
    return []
  }
}
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 25))
}

const heavyLoop = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  const executable = yield* compile(heavy)
  const memory = yield* allocate({ x: square })
  const inputs = { scale: float32([], [1]) }
  return {
    memory,
    once: executable.run({ state: { memory }, inputs }),
    loop: executable.loop({ state: { memory }, steps: 1000, inputs, collect: ["sum"] }),
  }
})

test("an engine process that dies is an error that names the function, and a new engine works", async () => {
  const error = await on(
    "onnx",
    Effect.gen(function* () {
      const { loop } = yield* heavyLoop
      const fiber = yield* Effect.forkChild(Effect.flip(loop))
      yield* Effect.sleep(150)
      for (const pid of children()) process.kill(pid, "SIGKILL")
      return yield* Fiber.join(fiber)
    }),
  )
  expect(error._tag).toBe("EngineFailed")
  expect(error.where).toBe("heavy")
  expect(error.received).toContain("SIGKILL")
  const made = await on(
    "onnx",
    Effect.flatMap(heavyLoop, ({ once }) => once),
  )
  expect(made.sum!.data[0]).toBeCloseTo(512, 1)
})

test("an interrupted loop leaves the state, and the engine answers on", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { memory, loop, once } = yield* heavyLoop
      const fiber = yield* Effect.forkChild(loop)
      yield* Effect.sleep(200)
      yield* Fiber.interrupt(fiber)
      expect([...(yield* memory.read()).x!.data.subarray(0, 3)]).toEqual([1 / 512, 1 / 512, 1 / 512])
      yield* once
    }),
  ))

test("an interrupt signal does not end the engine's process", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { once } = yield* heavyLoop
      for (const pid of children()) process.kill(pid, "SIGINT")
      yield* Effect.sleep(50)
      yield* once
    }),
  ))

test("the engine's process ends with its scope, and with the process that started it", async () => {
  const before = children()
  await on("onnx", heavyLoop)
  expect(children().filter((pid) => !before.includes(pid))).toEqual([])

  const script = `
    import { Engine, Engines } from "@millrace/core"
    import { execFileSync } from "node:child_process"
    import { Effect } from "effect"
    await Effect.runPromise(Effect.scoped(Effect.provide(Effect.gen(function* () {
      yield* Engine
      console.log(execFileSync("pgrep", ["-P", String(process.pid), "-f", "engine/child.js"], { encoding: "utf8" }).trim())
      yield* Effect.never
    }), Engines.layer("onnx"))))`
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const [line] = (await once(parent.stdout, "data")) as [Buffer]
  const child = Number(line.toString().trim())
  expect(alive(child)).toBe(true)
  parent.kill("SIGKILL")
  await until(() => !alive(child))
  expect(alive(child)).toBe(false)
})

/** What the engine leaves on the disk: nothing. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Engine, float32, profile } from "@millrace/core"
import { Effect, Fiber, Schedule } from "effect"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { unequal } from "../profile/mlp.js"
import { on } from "./on.js"

// A folder of its own for what is temporary: other tests may be writing too.
const folder = mkdtempSync(join(tmpdir(), "millrace-files-"))
const left = (): ReadonlyArray<string> => readdirSync(folder)
beforeAll(() => {
  vi.stubEnv("TMPDIR", folder)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const zeros = () => float32([256, 256], new Float32Array(256 * 256))
const prepared = Effect.gen(function* () {
  const { compile, allocate } = yield* Engine
  return { executable: yield* compile(unequal), params: yield* allocate({ weight: zeros() }) }
})

test("running leaves no file, not even of ONNX Runtime's telemetry, which is off", async () => {
  await on(
    "onnx",
    Effect.flatMap(prepared, ({ executable, params }) => executable.run({ state: { params }, inputs: { x: zeros() } })),
  )
  expect(left()).toEqual([])
})

test("a profile leaves none, and none where it is interrupted in the middle", async () => {
  await on("onnx", profile(unequal, { runs: 1, peak: false }))
  expect(left()).toEqual([])
  await on(
    "onnx",
    Effect.gen(function* () {
      const { executable, params } = yield* prepared
      const call = { state: { params }, inputs: { x: zeros() } }
      const fiber = yield* Effect.forkChild(executable.profile!(call, { warmup: 0, runs: 60 }))
      yield* Effect.sync(left).pipe(Effect.repeat({ until: (found) => found.length > 0, schedule: Schedule.spaced(5) }))
      yield* Fiber.interrupt(fiber)
    }),
  )
  expect(left()).toEqual([])
})

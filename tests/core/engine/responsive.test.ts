import { monitorEventLoopDelay } from "node:perf_hooks"
import { Engine, float32, spec } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { on } from "./on.js"

const size = 640

/** A promise about the main thread, not about speed: the delay is of its event loop while the engine is busy. */
test("the main thread stays free while a program runs: 99 of 100 event-loop delays are under 50 ms", () =>
  on(
    "onnx",
    Effect.gen(function* () {
      const { compile } = yield* Engine
      const { run } = yield* compile({
        name: "chain",
        state: {},
        inputs: { x: spec("float32", [size, size]) },
        body: (_, { x }) => {
          let product = x!
          for (let i = 0; i < 50; i++) product = tf.matMul(product, x!)
          return { outputs: { product } }
        },
      })
      const x = float32([size, size], new Float32Array(size * size).fill(1 / size))
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      const { product } = yield* run({ inputs: { x } })
      delay.disable()
      expect(product!.data[0]).toBeCloseTo(1 / size, 6)
      expect(delay.count).toBeGreaterThan(20)
      expect(delay.percentile(99) / 1e6).toBeLessThan(50)
    }),
  ))

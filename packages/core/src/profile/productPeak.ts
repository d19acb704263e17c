/** The most that this machine makes of matrix products, measured with the kernel that programs use. */
import * as tf from "@tensorflow/tfjs-core"
import { Effect, type Scope } from "effect"
import { type CompileError, Engine, type EngineError, type TensorFunction } from "../engine.js"
import { float32, spec } from "../tensor.js"
import { medianOf } from "./measure.js"

export interface ProductPeak {
  readonly gigaflopsPerSecond: number
  /** Rows, inner size and columns of the product that reached it. */
  readonly size: number
}

/** Small enough for half a second altogether, large enough that no overhead counts. */
const sizes = [512, 768, 1024]
const rounds = { warmup: 1, runs: 6 }

const product = (size: number): TensorFunction => ({
  name: `product of ${size} × ${size}`,
  state: { factors: { a: spec("float32", [size, size]), b: spec("float32", [size, size]) } },
  inputs: {},
  body: ({ factors }) => ({ outputs: { sum: tf.matMul(factors!.a! as tf.Tensor2D, factors!.b! as tf.Tensor2D) } }),
})

/** The best of several sizes, each by the median of its runs; null where the engine does not measure kernels. */
export const productPeak: Effect.Effect<ProductPeak | null, CompileError | EngineError, Engine | Scope.Scope> =
  Effect.gen(function* () {
    const engine = yield* Engine
    let best: ProductPeak | null = null
    for (const size of sizes) {
      const { profile } = yield* engine.compile(product(size))
      if (profile === null) return null
      const ones = (): Float32Array => new Float32Array(size * size).fill(1 / size)
      const factors = yield* engine.allocate({ a: float32([size, size], ones()), b: float32([size, size], ones()) })
      const { calls } = yield* profile({ state: { factors }, inputs: {} }, rounds)
      const milliseconds = medianOf(calls.map(({ durations }) => durations.reduce((total, one) => total + one, 0)))
      const gigaflopsPerSecond = (2 * size ** 3) / milliseconds / 1e6
      if (best === null || gigaflopsPerSecond > best.gigaflopsPerSecond) best = { gigaflopsPerSecond, size }
    }
    return best
  })

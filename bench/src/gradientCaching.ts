/**
 * Gradient caching: a batch of 1,024 in parts of 32 against the whole batch, and its memory against a batch of 64.
 *
 *   npm run build && node bench/dist/gradientCaching.js
 *
 * Each case has an engine of its own. Memory is the most that the engine's process ever had resident, read from /proc: Linux
 * alone has it. Gradients are compared parameter by parameter, by the norm of their difference.
 */
import {
  adamW,
  Engine,
  Engines,
  type HostTensors,
  initOptimizer,
  initParams,
  int32,
  keyFromSeed,
  random,
  slots,
  split,
} from "@millrace/core"
import type { ClipConfig } from "@millrace/models"
import { clipTrainingOf, type FitConfig, makeTrainer, partedStep } from "@millrace/pipelines"
import { Effect } from "effect"
import { childrenOf, peakBytes } from "./memory.js"

const config: ClipConfig = {
  joint: 128,
  image: { kind: "vit", size: 32, patch: 4, width: 128, layers: 4, heads: 4 },
  text: { vocab: 1024, context: 16, width: 128, layers: 2, heads: 4 },
}
const [whole, part, small] = [1024, 32, 64]
const fit: FitConfig = {
  steps: 10,
  schedule: { kind: "constant", peak: 1e-3, warmup: 0, floor: 1 },
  optimizer: adamW,
  clip: 1,
}

const key = keyFromSeed(0)
const batchOf = (count: number): HostTensors => {
  const { context, vocab } = config.text
  const { size } = config.image
  const tokens = random.integers(split(key, "tokens"), [count, context], 0, vocab - 1).data
  for (let i = 0; i < count; i++) tokens[(i + 1) * context - 1] = vocab - 1
  return {
    pixels: random.normal(split(key, "pixels"), [count, size, size, 3]),
    tokens: int32([count, context], tokens),
  }
}

const initial = initParams(clipTrainingOf(config, whole, fit).objective.paramSpecs, split(key, "parameters"))

/** The most that the engine's process had resident, in MB. */
const peak = (): number => Math.max(...childrenOf(process.pid).map((pid) => peakBytes(pid) ?? 0)) / 2 ** 20

const onEngine = <A>(work: Effect.Effect<A, unknown, Engine>): Promise<A> =>
  Effect.runPromise(work.pipe(Effect.provide(Engines.layer("onnx", {}))))

/** A step of a batch as one, and then another that is timed. */
const atOnce = (batch: number) =>
  onEngine(
    Effect.scoped(
      Effect.gen(function* () {
        const { step } = yield* makeTrainer({ ...clipTrainingOf(config, batch, fit), initial })
        yield* step(batchOf(batch))
        const started = performance.now()
        yield* step(batchOf(batch))
        return { memory: peak(), seconds: (performance.now() - started) / 1000 }
      }),
    ),
  )

/** The gradients of a step of a batch in parts, which is timed. */
const inParts = (batch: number, size: number) =>
  onEngine(
    Effect.scoped(
      Effect.gen(function* () {
        const { allocate } = yield* Engine
        const { objective, inputs, parts } = clipTrainingOf(config, batch, fit, size)
        const state = {
          [slots.params]: yield* allocate(initial),
          [slots.frozen]: yield* allocate({}),
          [slots.optimizer]: yield* allocate(initOptimizer(objective)),
        }
        const step = yield* partedStep(parts!, inputs, fit, state)
        const started = performance.now()
        yield* step.run(batchOf(batch))
        const seconds = (performance.now() - started) / 1000
        return { memory: peak(), gradients: yield* step.gradients.read(), seconds }
      }),
    ),
  )

const norm = (data: ArrayLike<number>): number => Math.sqrt(Array.from(data).reduce((sum, x) => sum + x * x, 0))

const caching = await inParts(whole, part)
const few = await atOnce(small)
const full = await inParts(whole, whole)

const differences = Object.entries(full.gradients).map(([name, { data }]) => {
  const other = caching.gradients[name]!.data
  return { name, difference: norm(data.map((x, i) => x - other[i]!)), size: norm(data) }
})
const total = norm(differences.map(({ difference }) => difference)) / norm(differences.map(({ size }) => size))
// A parameter whose gradient is 0 but for rounding, such as a bias of keys, has no relative difference to speak of.
const largest = Math.max(...differences.map(({ size }) => size))
const worst = differences
  .filter(({ size }) => size > 1e-4 * largest)
  .map(({ name, difference, size }) => ({ name, relative: difference / size }))
  .sort((a, b) => b.relative - a.relative)[0]!

console.info(
  `batch ${whole} in parts of ${part}: ${caching.memory.toFixed(0)} MB, ${caching.seconds.toFixed(1)} s a step`,
)
console.info(`batch ${small} at once: ${few.memory.toFixed(0)} MB, ${few.seconds.toFixed(1)} s a step`)
console.info(`batch ${whole} at once: ${full.memory.toFixed(0)} MB, ${full.seconds.toFixed(1)} s a step`)
console.info(
  `memory in parts: ${(caching.memory / few.memory).toFixed(2)} times that of a batch of ${small}; at most 1.3 is wanted`,
)
console.info(
  `gradients differ by ${total.toExponential(1)} in all, by ${worst.relative.toExponential(1)} in ${worst.name}; at most 1e-4 is wanted`,
)

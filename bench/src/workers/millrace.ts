/**
 * Millrace as a worker. Arguments: the engine, and `uncached` to sample without the key-value cache. With an engine of
 * tfjs the same code runs op by op, as users of tfjs run theirs.
 */
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import {
  decodeSafetensors,
  Engine,
  Engines,
  encodeSafetensors,
  type HostTensors,
  initOptimizer,
  keyFromSeed,
  openSafetensors,
  profile,
  slots,
  split,
  trainStep,
} from "@millrace/core"
import { compileSampler, compileSamplerWithoutCache, generate } from "@millrace/models"
import { type FitConfig, makeTrainer } from "@millrace/pipelines"
import { Cause, Effect, Exit, ManagedRuntime, Scope } from "effect"
import type { CheckCase, SampleCase, TrainCase } from "../case.js"
import { cases } from "../cases.js"
import { batchKey } from "../start.js"
import { optimizer } from "./protocol.js"
import { type Handlers, serve } from "./serve.js"

const [engineName = "onnx", mode] = process.argv.slice(2)
const threads = Number(process.env.MILLRACE_BENCH_THREADS)
/** The engines that have a choice; tfjs in WebAssembly has none. TensorFlow reads it when it is loaded. */
const threaded = engineName === "onnx" || engineName.startsWith("tfjs:node")
process.env.TF_NUM_INTRAOP_THREADS ??= String(threads)
const config: FitConfig = {
  steps: 1_000_000,
  schedule: { kind: "constant", peak: optimizer.learningRate, warmup: 0, floor: 1 },
  optimizer,
  clip: optimizer.clip,
}

const runtime = ManagedRuntime.make(Engines.layer(engineName, { threads }))
const scope = Scope.makeUnsafe()
const run = <A, E>(effect: Effect.Effect<A, E, Engine | Scope.Scope>): Promise<A> =>
  runtime.runPromise(Effect.provideService(effect, Scope.Scope, scope))

/** An engine that adds up how long it compiles, in seconds. Apart from what it is used for, which it must not keep alive. */
const timingEngine = (engine: Engine["Service"]) => {
  let seconds = 0
  const compile: typeof engine.compile = (fn) =>
    Effect.gen(function* () {
      const from = performance.now()
      const executable = yield* engine.compile(fn)
      seconds += (performance.now() - from) / 1000
      return executable
    })
  return { engine: { ...engine, compile }, seconds: () => (engineName === "onnx" ? seconds : null) }
}

const timingCompilation = <A, E, R>(effect: Effect.Effect<A, E, R | Engine>) =>
  Effect.gen(function* () {
    const { engine, seconds } = timingEngine(yield* Engine)
    const value = yield* Effect.provideService(effect, Engine, engine)
    return { value, compileSeconds: seconds() }
  })

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const from = performance.now()
    const value = yield* effect
    return { value, seconds: (performance.now() - from) / 1000 }
  })

const tensorsIn = (folder: string, file: string) =>
  Effect.gen(function* () {
    const bytes = yield* Effect.promise(() => readFile(join(folder, file)))
    return (yield* decodeSafetensors(bytes, file)).tensors
  })

const digest = (tensors: HostTensors): string => createHash("sha256").update(encodeSafetensors(tensors)).digest("hex")

const training = (found: TrainCase | CheckCase, folder: string) =>
  Effect.gen(function* () {
    const { objective, inputs } = found.network(batchKey)
    const batch = yield* tensorsIn(folder, "batch.safetensors")
    const { value: trainer, compileSeconds } = yield* Effect.flatMap(
      openSafetensors(join(folder, "weights.safetensors")),
      (initial) => timingCompilation(makeTrainer({ objective, inputs, initial, config })),
    )
    globalThis.gc?.()
    const step = Effect.map(timed(trainer.step(batch)), ({ value, seconds }) => ({ seconds, loss: value.loss! }))

    /** Digests of all parameters and moments after one step, each time from the start. */
    const repeated = (times: number) =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const initial = yield* tensorsIn(folder, "weights.safetensors")
        const zero = initOptimizer(objective)
        const params = yield* engine.allocate(initial)
        const moments = yield* engine.allocate(zero)
        const frozen = yield* engine.allocate({})
        const executable = yield* engine.compile(trainStep(objective, { inputs, ...config }))
        const state = { [slots.params]: params, [slots.frozen]: frozen, [slots.optimizer]: moments }
        const digests: Array<string> = []
        for (let i = 0; i < times; i++) {
          yield* params.write(initial)
          yield* moments.write(zero)
          yield* executable.run({ state, inputs: batch })
          digests.push(digest({ ...(yield* params.read()), ...(yield* moments.read()) }))
        }
        return { digests }
      })
    const steps = (count: number) =>
      Effect.gen(function* () {
        for (let i = 0; i < count; i++) yield* trainer.step(batch)
        globalThis.gc?.()
        return { done: count }
      })
    const lateness = (count: number) =>
      Effect.gen(function* () {
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        for (let i = 0; i < count; i++) yield* trainer.step(batch)
        delay.disable()
        return { milliseconds: delay.percentile(99) / 1e6 }
      })
    const products = (runs: number) =>
      Effect.gen(function* () {
        const initial = yield* tensorsIn(folder, "weights.safetensors")
        const state = { [slots.params]: initial, [slots.frozen]: {}, [slots.optimizer]: initOptimizer(objective) }
        const measured = yield* profile(trainStep(objective, { inputs, ...config }), { runs, inputs: batch, state })
        const { milliseconds, flops, peak } = measured.products
        const gigaflopsPerSecond = flops / milliseconds / 1e6
        return {
          share: milliseconds / measured.milliseconds,
          gigaflopsPerSecond,
          peak: peak?.gigaflopsPerSecond ?? null,
        }
      })
    return { compileSeconds, step, repeated, steps, lateness, products }
  })

const sampling = ({ model, batch, promptLength, length }: SampleCase, folder: string) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const policy = yield* engine.allocate(yield* openSafetensors(join(folder, "weights.safetensors")))
    const { prompts } = yield* tensorsIn(folder, "batch.safetensors")
    const rows = Array.from({ length: batch }, (_, i) => [
      ...prompts!.data.subarray(i * promptLength, (i + 1) * promptLength),
    ])
    const compile = mode === "uncached" ? compileSamplerWithoutCache : compileSampler
    const { value: sampler, compileSeconds } = yield* timingCompilation(
      // A policy that many texts are generated from.
      compile(model, { batch, promptLength, length, frozen: true }),
    )
    let calls = 0
    const step = Effect.gen(function* () {
      const { value, seconds } = yield* timed(generate(sampler, policy, rows, split(keyFromSeed(3), calls++)))
      let sum = 0
      for (const logProb of value.logProb.data) sum -= logProb
      const loss = sum / value.logProb.data.length
      const width = promptLength + length
      const text = rows.map((_, i) => [...value.text.data.subarray(i * width, (i + 1) * width)])
      return { seconds, loss, text }
    })
    return { compileSeconds, step }
  })

type Ready = Effect.Success<ReturnType<typeof training>> | Effect.Success<ReturnType<typeof sampling>>
let ready: Ready | null = null
const prepared = (): Ready => {
  if (ready === null) throw new Error("asked to work before it was told what to prepare")
  return ready
}
const trained = (): Effect.Success<ReturnType<typeof training>> => {
  const now = prepared()
  if ("repeated" in now) return now
  throw new Error("nothing is trained in this case")
}

const handlers: Handlers = {
  prepare: async ({ case: name, folder }) => {
    const found = cases.find((known) => known.name === name)
    if (found === undefined) throw new Error(`no case ${name}`)
    ready = found.kind === "sample" ? await run(sampling(found, folder)) : await run(training(found, folder))
    return { compileSeconds: ready.compileSeconds }
  },
  step: async () => {
    const now = prepared()
    return "repeated" in now ? run(now.step) : run(now.step)
  },
  repeat: ({ times }) => run(trained().repeated(times)),
  steps: ({ steps }) => run(trained().steps(steps)),
  products: ({ runs }) => run(trained().products(runs)),
  lateness: ({ steps }) => run(trained().lateness(steps)),
}

const started = await runtime.runPromiseExit(Effect.map(Engine, ({ version }) => version))
await serve(
  Exit.isSuccess(started)
    ? { version: started.value, threads: threaded ? threads : 1 }
    : { missing: Cause.pretty(started.cause) },
  handlers,
)
await runtime.dispose()

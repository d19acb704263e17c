/** What becomes of a call on an engine: its results, or why there are none. */
import {
  Engine,
  type EngineLayerError,
  Engines,
  type HostTensor,
  type HostTensors,
  spec,
  type TensorFunction,
  withBackend,
} from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"

export const backends = { "tfjs:cpu": "cpu", "tfjs:wasm": "wasm", "tfjs:node": "tensorflow" } as const
export type EagerName = keyof typeof backends

export interface Call {
  readonly values: HostTensors
  readonly body: (given: Readonly<Record<string, tf.Tensor>>) => ReadonlyArray<tf.Tensor>
}

/** Results, or the first line of an error. */
export type Outcome = ReadonlyArray<HostTensor> | string

const reasonOf = (error: unknown): string => {
  const failure = error as { readonly received?: string; readonly message?: string }
  return (failure.received ?? failure.message ?? String(error)).split("\n")[0]!
}

/** Whether an engine starts here. */
export const starts = (engine: string): Promise<boolean> =>
  listening(() =>
    Effect.runPromise(
      Effect.scoped(Effect.provide(Engine, Engines.layer(engine))).pipe(
        Effect.as(true),
        Effect.catch((_: EngineLayerError) => Effect.succeed(false)),
      ),
    ),
  )

/** What the wasm backend has said. It complains of a type that it does not know, and returns whatever is in its memory. */
const said: Array<string> = []

/** The backend keeps the functions of the console that it finds when it starts. */
const listening = async <A>(start: () => Promise<A>): Promise<A> => {
  const { warn, error } = console
  const listen = (...words: ReadonlyArray<unknown>): void => {
    said.push(words.join(" "))
  }
  Object.assign(console, { warn: listen, error: listen })
  try {
    return await start()
  } finally {
    Object.assign(console, { warn, error })
  }
}

/** A trap leaves the memory of the wasm backend in pieces: the next call gets another one. */
const restart = async (backend: string): Promise<void> => {
  const factory = tf.findBackendFactory(backend)
  // Its own way of ending would run into the same trap.
  tf.findBackend(backend).dispose = () => {}
  tf.removeBackend(backend)
  tf.registerBackend(backend, factory)
  const before = tf.getBackend()
  // Every start of it listens to the process for good.
  process.setMaxListeners(process.getMaxListeners() + 1)
  await listening(() => tf.setBackend(backend))
  await tf.setBackend(before)
}

const download = (tensor: tf.Tensor): HostTensor => ({
  dtype: tensor.dtype as HostTensor["dtype"],
  shape: tensor.shape,
  data: tensor.dataSync<"float32">().slice(),
})

/** Op by op on a backend that has started. */
export const eager = async (engine: EagerName, { values, body }: Call): Promise<Outcome> => {
  said.length = 0
  try {
    const made = withBackend(backends[engine], () => {
      tf.engine().startScope("probe")
      try {
        const given = Object.entries(values).map(
          ([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)] as const,
        )
        return body(Object.fromEntries(given)).map(download)
      } finally {
        tf.engine().endScope()
      }
    })
    return said.length === 0 ? made : said[0]!.replace(/^.*failed\. /, "")
  } catch (error) {
    if (engine === "tfjs:wasm" && error instanceof Error && error.name === "RuntimeError")
      await restart(backends[engine])
    return reasonOf(error)
  }
}

const functionOf = (calls: ReadonlyMap<string, Call>): TensorFunction => ({
  name: "support",
  state: {},
  inputs: Object.fromEntries(
    [...calls].flatMap(([key, { values }]) =>
      Object.entries(values).map(([name, { dtype, shape }]) => [`${key}/${name}`, spec(dtype, shape)]),
    ),
  ),
  body: (_, given) => ({
    outputs: Object.fromEntries(
      [...calls].flatMap(([key, { values, body }]) => {
        const own = Object.keys(values).map((name) => [name, given[`${key}/${name}`]!] as const)
        return body(Object.fromEntries(own)).map((tensor, i) => [`${key}/${i}`, tensor] as const)
      }),
    ),
  }),
})

/** All calls as one program; where that fails, half of them at a time, down to the one that fails. */
const together = (
  calls: ReadonlyMap<string, Call>,
): Effect.Effect<ReadonlyArray<readonly [string, Outcome]>, never, Engine> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { run } = yield* compile(functionOf(calls))
    const inputs = [...calls].flatMap(([key, { values }]) =>
      Object.entries(values).map(([name, tensor]) => [`${key}/${name}`, tensor] as const),
    )
    const outputs = yield* run({ inputs: Object.fromEntries(inputs) })
    return [...calls.keys()].map((key) => {
      const own = Object.entries(outputs).filter(([name]) => name.startsWith(`${key}/`))
      return [key, own.map(([, tensor]) => tensor)] as const
    })
  }).pipe(
    Effect.scoped,
    Effect.catch((error) => {
      const entries = [...calls]
      if (entries.length === 1) return Effect.succeed([[entries[0]![0], reasonOf(error)] as const])
      const half = Math.ceil(entries.length / 2)
      return Effect.map(
        Effect.all([together(new Map(entries.slice(0, half))), together(new Map(entries.slice(half)))]),
        ([first, second]) => [...first, ...second],
      )
    }),
  )

/** Captured and compiled, on the engine `onnx`. */
export const compiled = async (calls: ReadonlyMap<string, Call>): Promise<ReadonlyMap<string, Outcome>> =>
  new Map(await Effect.runPromise(Effect.provide(together(calls), Engines.layer("onnx", { threads: 2 }))))

/**
 * What the benchmark and its workers say to each other: one JSON value a line, on the worker's stdin and stdout. Every
 * request has one answer, and before all a worker says hello. Only the worker that was asked works.
 */
import { Schema } from "effect"

/** The optimiser of all sides. */
export const optimizer = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  /** Of parameters with two axes or more. */
  weightDecay: 0.01,
  clip: 1,
} as const

export type Request =
  | {
      readonly do: "prepare"
      readonly case: string
      readonly kind: "train" | "sample" | "check"
      readonly twin: string
      readonly config: Readonly<Record<string, unknown>>
      /** Where `weights.safetensors` and `batch.safetensors` are. */
      readonly folder: string
      readonly threads: number
      readonly optimizer: typeof optimizer
    }
  | { readonly do: "step" }
  /** The mean negative log-likelihood of what follows the prompts, by one pass over the whole texts. */
  | { readonly do: "score"; readonly text: ReadonlyArray<ReadonlyArray<number>>; readonly promptLength: number }
  | { readonly do: "repeat"; readonly times: number }
  | { readonly do: "steps"; readonly steps: number }
  | { readonly do: "lateness"; readonly steps: number }
  | { readonly do: "products"; readonly runs: number }

export const Hello = Schema.Union([
  Schema.Struct({ version: Schema.String, threads: Schema.optionalKey(Schema.Int) }),
  Schema.Struct({ missing: Schema.String }),
])
export const Failed = Schema.Struct({ error: Schema.String })
/** `compileSeconds`: from the network's code to a session that can run. */
export const Prepared = Schema.Struct({ compileSeconds: Schema.NullOr(Schema.Number) })
export const Stepped = Schema.Struct({
  /** Measured by the worker itself, around the step alone. */
  seconds: Schema.Number,
  /** In nats; of a generation the mean over its tokens. */
  loss: Schema.NullOr(Schema.Number),
  text: Schema.optionalKey(Schema.Array(Schema.Array(Schema.Int))),
})
export const Scored = Schema.Struct({ loss: Schema.Number })
export const Repeated = Schema.Struct({ digests: Schema.Array(Schema.String) })
export const Done = Schema.Struct({ done: Schema.Int })
/** Matrix products: their part of a step, and what they reach of the machine's peak; of a step and its products in GFLOP/s. */
export const Products = Schema.Struct({
  share: Schema.Number,
  gigaflopsPerSecond: Schema.Number,
  peak: Schema.NullOr(Schema.Number),
})
export const Late = Schema.Struct({ milliseconds: Schema.Number })

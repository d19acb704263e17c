/** What the benchmark can measure. */
import type { HostTensors, Key } from "@millrace/core"
import type { GptConfig } from "@millrace/models"
import type { Network } from "./networks/network.js"
import type { PeerName } from "./peers.js"

interface Named {
  /** What `--case` takes. */
  readonly name: string
  readonly title: string
}

/** Against whom, and the least ratio (their time ÷ ours) that is wanted; null where none is. */
export type Against = Partial<Readonly<Record<PeerName, number | null>>>

/** Training steps of one network, on all sides with the same weights and the same batch. */
export interface TrainCase extends Named {
  readonly kind: "train"
  /** The module under `peers/` that has the same network. */
  readonly twin: string
  readonly config: Readonly<Record<string, unknown>>
  readonly network: (key: Key) => Network
  readonly against: Against
}

/** Texts sampled from one GPT, on all sides with the same weights and the same prompts. */
export interface SampleCase extends Named {
  readonly kind: "sample"
  readonly model: GptConfig
  readonly batch: number
  readonly promptLength: number
  /** Tokens to generate. */
  readonly length: number
  readonly against: Against
}

/** A property of Millrace alone. */
export interface CheckCase extends Named {
  readonly kind: "check"
  readonly network: (key: Key) => Network
  readonly check:
    | { readonly kind: "repeat"; readonly times: number }
    | { readonly kind: "grow"; readonly warmup: number; readonly steps: number; readonly megabytes: number }
    | { readonly kind: "lateness"; readonly steps: number }
    | { readonly kind: "products"; readonly runs: number; readonly share: number }
}

export type Case = TrainCase | SampleCase | CheckCase

/** What every side of a case starts from. */
export interface Start {
  readonly weights: HostTensors
  readonly batch: HostTensors
}

/** From data to noise, compiled for an engine. */
import type { BadConfig, CompileError, Engine, EngineError, HostTensor, State } from "@millrace/core"
import { spec } from "@millrace/core"
import { Effect, type Scope } from "effect"
import type { Denoiser } from "./denoiser.js"
import { checkRows, takeRows } from "./rows.js"
import type { DiffusionSamplerConfig } from "./walk.js"
import { compileWalk, type WalkedRows } from "./walkRows.js"

export interface DiffusionInverse {
  readonly config: Omit<DiffusionSamplerConfig, "method" | "temperature">
  /**
   * The noise that DDIM with η = 0 makes the data of, by the same steps the other way: x_T of unCLIP's pair (z_i, x_T).
   * @param data  float32  n …
   * @returns     float32  n …
   */
  readonly invert: (
    params: State,
    data: HostTensor,
    options?: Omit<WalkedRows, "count">,
  ) => Effect.Effect<HostTensor, EngineError>
}

/**
 * Inversion, compiled once for any number of rows.
 * @fails  BadConfig  a number that makes no sense, a spacing that the schedule cannot have
 * @source Ramesh et al. 2022, section 3; Dhariwal and Nichol 2021, appendix F
 */
export const compileDiffusionInverse = (
  denoiser: Denoiser,
  config: Omit<DiffusionSamplerConfig, "method" | "temperature">,
): Effect.Effect<DiffusionInverse, BadConfig | CompileError, Engine | Scope.Scope> =>
  Effect.map(compileWalk(denoiser, { ...config, method: { kind: "ddim", eta: 0 } }, "invert"), (walk) => ({
    config,
    invert: (params, data, options = {}) => {
      const count = data.shape[0] ?? 0
      const wrong = checkRows("diffusion.invert", { data: spec("float32", config.shape) }, { data }, count)
      if (wrong !== null) return Effect.fail(wrong)
      return walk(params, { ...options, count }, { first: (at) => Float32Array.from(takeRows(data, at).data) })
    },
  }))

/** How a diffusion prior is sampled. */
import { BadConfig, type HostTensor, showSpec, spec } from "@millrace/core"
import type { Diffusion } from "../diffusion/diffusion.js"
import type { DiffusionSamplerConfig } from "../diffusion/walk.js"
import type { EmbeddingScaleData } from "./embeddingScale.js"

/**
 * How far from 0 an embedding may lie that the prior sees in noise, at the scale of noise:
 *   none   anywhere; the paper does not speak of it
 *   karlo  ±10 (kakaobrain/karlo)
 */
export const embeddingClamps = { none: null, karlo: 10 } as const
export type EmbeddingClamp = keyof typeof embeddingClamps

export interface PriorSamplerConfig extends Pick<DiffusionSamplerConfig, "spacing" | "method" | "frozen" | "prefix"> {
  /** What the prior was trained for. Of its kind it predicts the start. */
  readonly diffusion: Omit<Diffusion, "parametrisation">
  readonly clamp: EmbeddingClamp
  /** Of classifier-free guidance. 1 is the caption's own prediction, which one pass of the network gives. */
  readonly guidance: number
  /** Embeddings drawn for each caption, of which the one closest to the caption's is taken. The paper draws 2. */
  readonly candidates: number
  /** How embeddings were scaled before noise. */
  readonly scale: EmbeddingScaleData
  /** Captions at a time. */
  readonly batch: number
}

/**
 * Published choices.
 * @source  Ramesh et al. 2022, section 2.2 and table 3, where the scale of guidance is not stated; kakaobrain/karlo, whose
 *          scale is statistics of its data
 */
export const priorSamplerPresets = {
  unclip: {
    spacing: "64",
    method: { kind: "ddpm" },
    clamp: "none",
    candidates: 2,
    scale: { kind: "factor", factor: 17.2 },
  },
  karlo: { spacing: "25", method: { kind: "ddpm" }, clamp: "karlo", candidates: 1, guidance: 4 },
} as const satisfies Record<string, Partial<PriorSamplerConfig>>

/** @throws BadConfig  every number that makes no sense, at once */
export const checkPriorSampler = (
  { guidance, candidates, scale, batch }: PriorSamplerConfig,
  embedding: number,
): void => {
  const wrong: Array<readonly [expected: string, received: string]> = []
  const count = (name: string, value: number): void => {
    if (!Number.isInteger(value) || value < 1) wrong.push([`${name} a whole number of at least 1`, `${name} ${value}`])
  }
  count("batch", batch)
  count("candidates", candidates)
  if (!Number.isFinite(guidance)) wrong.push(["a finite guidance", `guidance ${guidance}`])
  if (scale.kind === "factor" && !(scale.factor > 0 && Number.isFinite(scale.factor)))
    wrong.push(["a factor above 0", `factor ${scale.factor}`])
  if (scale.kind === "statistics") {
    const wanted = showSpec(spec("float32", [embedding]))
    const check = (name: string, tensor: HostTensor): void => {
      if (showSpec(tensor) !== wanted) wrong.push([`${name} ${wanted}`, `${name} ${showSpec(tensor)}`])
    }
    check("mean", scale.mean)
    check("std", scale.std)
    if (!scale.std.data.every((x) => x > 0)) wrong.push(["deviations above 0", "one that is not"])
  }
  if (wrong.length > 0) {
    throw new BadConfig({
      where: "prior sampler",
      expected: wrong.map(([expected]) => expected).join("\n"),
      received: wrong.map(([, received]) => received).join("\n"),
      fix: "correct the sampler's config",
    })
  }
}

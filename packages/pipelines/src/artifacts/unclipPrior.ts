/** A prior of unCLIP as an artifact: what makes embeddings of images from captions. */
import { artifactKind, canonicalJson, encodeSafetensors, type HostTensor, type HostTensors } from "@millrace/core"
import type {
  AutoregressivePriorConfig,
  EmbeddingScaleData,
  NoiseScheduleConfig,
  Pca,
  PriorConfig,
  Range,
} from "@millrace/models"

export interface DiffusionPrior {
  readonly kind: "diffusion"
  readonly config: PriorConfig
  readonly schedule: NoiseScheduleConfig
  /** How embeddings were scaled before noise. */
  readonly scale: EmbeddingScaleData
  /** By the flat names of `priorParams`. */
  readonly params: HostTensors
}

export interface CodePrior {
  readonly kind: "autoregressive"
  readonly config: AutoregressivePriorConfig
  /** What codes are buckets of. */
  readonly pca: Pca
  readonly range: Range
  /** z_image · z_text of the training data, and their range. */
  readonly dots: HostTensor
  readonly dotRange: Range
  /** By the flat names of `autoregressivePriorParams`. */
  readonly params: HostTensors
}

export type UnclipPrior = DiffusionPrior | CodePrior

const json = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value))

const dataOf = (prior: UnclipPrior): HostTensors => {
  if (prior.kind === "autoregressive") {
    const { pca, range, dots, dotRange } = prior
    return {
      "pca.mean": pca.mean,
      "pca.axes": pca.axes,
      "pca.variances": pca.variances,
      "range.low": range.low,
      "range.high": range.high,
      dots,
      "dotRange.low": dotRange.low,
      "dotRange.high": dotRange.high,
    }
  }
  const { scale } = prior
  return scale.kind === "statistics" ? { "scale.mean": scale.mean, "scale.std": scale.std } : {}
}

export const unclipPriorKind = artifactKind("unclip-prior", (prior: UnclipPrior) => ({
  "config.json": json({
    kind: prior.kind,
    model: prior.config,
    ...(prior.kind === "diffusion"
      ? {
          schedule: prior.schedule,
          scale: prior.scale.kind === "factor" ? prior.scale : { kind: prior.scale.kind },
        }
      : {}),
  }),
  "model.safetensors": encodeSafetensors(prior.params),
  "data.safetensors": encodeSafetensors(dataOf(prior)),
}))

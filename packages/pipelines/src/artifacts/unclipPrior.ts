/** A prior of unCLIP as an artifact: what makes embeddings of images from captions. */
import {
  artifactKind,
  BadData,
  type ExpectedTensors,
  encodeSafetensors,
  flatten,
  type HostTensor,
  type HostTensors,
  isParamSpec,
  namedFiles,
  type ParamSpec,
  readTensors,
} from "@millrace/core"
import {
  AutoregressivePriorConfig,
  autoregressivePriorParams,
  type EmbeddingScaleData,
  NoiseScheduleConfig,
  type Pca,
  PriorConfig,
  priorParams,
  type Range,
} from "@millrace/models"
import { Effect, Schema } from "effect"
import { Positive } from "../ranges.js"
import { modelFiles } from "./modelFiles.js"

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

const DiffusionPriorConfig = Schema.Struct({
  kind: Schema.Literal("diffusion"),
  model: PriorConfig,
  schedule: NoiseScheduleConfig,
  scale: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("factor"), factor: Positive }),
    Schema.Struct({ kind: Schema.Literal("statistics") }),
  ]),
})
const CodePriorConfig = Schema.Struct({ kind: Schema.Literal("autoregressive"), model: AutoregressivePriorConfig })
type PriorFileConfig = typeof DiffusionPriorConfig.Type | typeof CodePriorConfig.Type

const configOf = (prior: UnclipPrior): PriorFileConfig => {
  if (prior.kind === "autoregressive") return { kind: prior.kind, model: prior.config }
  const scale = prior.scale.kind === "factor" ? prior.scale : ({ kind: "statistics" } as const)
  return { kind: prior.kind, model: prior.config, schedule: prior.schedule, scale }
}

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

/** What `dataOf` gives for a config. */
const dataExpected = (config: PriorFileConfig): ExpectedTensors => {
  const floats = (...shape: ReadonlyArray<number | string>) => ({ dtype: "float32", shape }) as const
  if (config.kind === "autoregressive") {
    const { embedding: c, codes: k } = config.model
    return {
      "pca.mean": floats(c),
      "pca.axes": floats(k, c),
      "pca.variances": floats(k),
      "range.low": floats(k),
      "range.high": floats(k),
      dots: floats("n"),
      "dotRange.low": floats(1),
      "dotRange.high": floats(1),
    }
  }
  const { scale, model } = config
  return scale.kind === "factor" ? {} : { "scale.mean": floats(model.embedding), "scale.std": floats(model.embedding) }
}

/** Numbers are divided by what is checked here, and drawn from. */
const checkData = (where: string, tensors: HostTensors): Effect.Effect<void, BadData> => {
  const refuse = (name: string, expected: string, received: string) =>
    new BadData({ where: `${where} > ${name}`, expected, received, fix: "give the file as it was written" })
  const { "scale.std": std, dots } = tensors
  const flat = std?.data.find((value) => !(value > 0))
  if (flat !== undefined) return refuse("scale.std", "numbers above 0", String(flat))
  if (dots?.data.length === 0) return refuse("dots", "one number or more", "none")
  for (const name of ["range", "dotRange"]) {
    const [low, high] = [tensors[`${name}.low`], tensors[`${name}.high`]]
    const empty = low?.data.findIndex((value: number, i: number) => !(value < high!.data[i]!)) ?? -1
    if (empty >= 0) return refuse(`${name}.high`, `above ${low!.data[empty]}, the low end`, String(high!.data[empty]))
  }
  return Effect.void
}

const model = modelFiles({
  config: Schema.Union([DiffusionPriorConfig, CodePriorConfig]),
  params: (config) =>
    flatten<ParamSpec>(
      config.kind === "diffusion" ? priorParams(config.model) : autoregressivePriorParams(config.model),
      isParamSpec,
    ),
  parts: ({ model }) => model.layers,
})

const DATA = "data.safetensors"

export const unclipPriorKind = artifactKind(
  "unclip-prior",
  (prior: UnclipPrior) => ({
    ...model.write(configOf(prior), prior.params),
    [DATA]: encodeSafetensors(dataOf(prior)),
  }),
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "unclip-prior", [...model.names, DATA])
      const { config: kept, params } = yield* model.read(found)
      const { tensors } = yield* readTensors(found[DATA], dataExpected(kept))
      yield* checkData(found[DATA].where, tensors)
      const data = (name: string): HostTensor => tensors[name]!
      if (kept.kind === "diffusion") {
        const { kind, model: config, schedule } = kept
        const scale: EmbeddingScaleData =
          kept.scale.kind === "factor"
            ? kept.scale
            : { kind: "statistics", mean: data("scale.mean"), std: data("scale.std") }
        return { kind, config, schedule, scale, params }
      }
      const rangeOf = (name: string): Range => ({ low: data(`${name}.low`), high: data(`${name}.high`) })
      return {
        kind: kept.kind,
        config: kept.model,
        pca: { mean: data("pca.mean"), axes: data("pca.axes"), variances: data("pca.variances") },
        range: rangeOf("range"),
        dots: data("dots"),
        dotRange: rangeOf("dotRange"),
        params,
      }
    }),
)

/** Diffusion as nodes: of images, and of embeddings. */
import { defineTensorNode, tensor } from "@millrace/core"
import { Schema } from "effect"
import { notNegative } from "../losses/configs.js"
import { addNoise } from "./addNoise.js"
import { DiffusionConfig, diffusionOf } from "./diffusion.js"
import { diffusionLoss, diffusionLosses } from "./loss.js"
import { parametrisations } from "./parametrisation.js"
import { NoiseScheduleConfig, noiseSchedule } from "./schedule.js"

const NoiseConfig = Schema.Struct({ schedule: NoiseScheduleConfig })

const LossConfig = Schema.Struct({
  ...DiffusionConfig.fields,
  kind: Schema.Literals(diffusionLosses).annotate({
    description:
      "simple: Ho et al. 2020; unCLIP's prior. hybrid: Nichol and Dhariwal 2021, GLIDE. bound: the sum over all steps, estimated.",
  }),
  weight: Schema.optionalKey(notNegative.annotate({ description: "Of the bound in hybrid; 0.001 by default" })),
  error: Schema.optionalKey(
    Schema.Literals(parametrisations).annotate({
      description: "Whose squared error is measured; by default that of what is predicted",
    }),
  ),
})

const time = tensor("int32", "b", "step")
const lossPorts = { loss: tensor("float32", ""), simple: tensor("float32", ""), bound: tensor("float32", "", "bit") }

const images = {
  data: tensor("float32", "b y x c", "[-1,1]"),
  noise: tensor("float32", "b y x c", "noise"),
}
const embeddings = {
  data: tensor("float32", "b d", "embedding"),
  noise: tensor("float32", "b d", "noise"),
}

export const diffusion = {
  /** `image`, `noise`, `time` -> the image after that many steps of noise. */
  noise: defineTensorNode({
    type: "diffusion.noise",
    version: 1,
    source: "Ho et al. 2020, eq. 4",
    config: NoiseConfig,
    ports: () => ({
      in: { image: images.data, noise: images.noise, time },
      out: tensor("float32", "b y x c", "noisy"),
    }),
    apply: ({ schedule }, _, { image, noise, time }) => addNoise(noiseSchedule(schedule), image, noise, time),
    laws: async ({ schedule }) => (await import("../laws/imageNodeLaws.js")).noiseNodeLaws("image", schedule.steps),
  }),

  /** `embedding`, `noise`, `time` -> the embedding after that many steps of noise. */
  noiseEmbedding: defineTensorNode({
    type: "diffusion.noiseEmbedding",
    version: 1,
    source: "Ramesh et al. 2022, section 2.2",
    config: NoiseConfig,
    ports: () => ({
      in: { embedding: embeddings.data, noise: embeddings.noise, time },
      out: tensor("float32", "b d", "noisy"),
    }),
    apply: ({ schedule }, _, { embedding, noise, time }) => addNoise(noiseSchedule(schedule), embedding, noise, time),
    laws: async ({ schedule }) => (await import("../laws/imageNodeLaws.js")).noiseNodeLaws("embedding", schedule.steps),
  }),
}

/** Losses of a network that was given what `diffusion.noise` made of the same data, noise and times. */
export const diffusionLossNodes = {
  /** `image`, `noise`, `time`, `prediction` of c channels, or of twice as many where the variance is learned -> the loss. */
  image: defineTensorNode({
    type: "loss.diffusion",
    version: 1,
    source: "Ho et al. 2020, section 3.4; Nichol and Dhariwal 2021, section 3.1",
    config: LossConfig,
    ports: () => ({
      in: {
        image: images.data,
        noise: images.noise,
        time,
        prediction: tensor("float32", "b y x k", "prediction"),
      },
      out: lossPorts,
    }),
    apply: ({ kind, weight, error, ...config }, _, { image, noise, time, prediction }) => ({
      ...diffusionLoss(diffusionOf(config), { data: image, noise, time }, prediction, {
        kind,
        ...(weight === undefined ? {} : { weight }),
        ...(error === undefined ? {} : { error }),
      }),
    }),
    laws: async ({ schedule, variance, kind }) =>
      (await import("../laws/imageNodeLaws.js")).diffusionLossNodeLaws(
        schedule.steps,
        variance === "learned-range",
        kind,
      ),
  }),

  /** The same of embeddings, by the squared error alone: the bound's last term is one of 8-bit data. */
  embedding: defineTensorNode({
    type: "loss.diffusionEmbedding",
    version: 1,
    source: "Ramesh et al. 2022, section 2.2",
    config: Schema.Struct({
      schedule: NoiseScheduleConfig,
      parametrisation: DiffusionConfig.fields.parametrisation,
      error: LossConfig.fields.error,
    }),
    ports: () => ({
      in: {
        embedding: embeddings.data,
        noise: embeddings.noise,
        time,
        prediction: tensor("float32", "b d", "prediction"),
      },
      out: tensor("float32", ""),
    }),
    apply: ({ error, ...config }, _, { embedding, noise, time, prediction }) =>
      diffusionLoss(diffusionOf({ ...config, variance: "fixed-small" }), { data: embedding, noise, time }, prediction, {
        kind: "simple",
        ...(error === undefined ? {} : { error }),
      }).loss,
    laws: async ({ schedule }) => (await import("../laws/imageNodeLaws.js")).embeddingLossNodeLaws(schedule.steps),
  }),
}

/** The objectives of unCLIP as graphs of models and losses, and the networks that are sampled from. */
import { type Graph, graph, type TensorGraph, tensor } from "@millrace/core"
import {
  type AutoregressivePriorConfig,
  autoregressivePrior,
  type DecoderConfig,
  type Denoiser,
  type DiffusionConfig,
  type DiffusionLossConfig,
  decoder,
  denoiserOf,
  diffusion,
  loss,
  type NoiseScheduleConfig,
  type PriorConfig,
  prior,
  type UpsamplerConfig,
  upsampler,
} from "@millrace/models"
import { componentCodes, embeddingComponents, prediction } from "./nodes.js"

const embedding = tensor("float32", "b c", "embedding")
const time = tensor("int32", "b", "step")
const flags = tensor("float32", "b", "mask")
const caption = {
  textEmbedding: embedding,
  text: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  kept: flags,
}
const image = tensor("float32", "b y x c", "[-1,1]")
const noise = tensor("float32", "b y x c", "noise")
const noisy = tensor("float32", "b y x c", "noisy")

/** Captions and noised embeddings of images -> the squared error of the embeddings that are predicted. */
export const priorTraining = (model: PriorConfig, schedule: NoiseScheduleConfig) =>
  graph("diffusion-prior", { ...caption, embedding, noise: tensor("float32", "b c", "noise"), time })
    .node(
      "noisy",
      diffusion.noiseEmbedding({ schedule }),
      { embedding: "embedding", noise: "noise", time: "time" },
      { axes: { d: "c" } },
    )
    .node("prior", prior.predict(model), {
      noised: "noisy",
      time: "time",
      textEmbedding: "textEmbedding",
      text: "text",
      mask: "mask",
      kept: "kept",
    })
    .node("loss", loss.prior({}), { predicted: "prior", embedding: "embedding" })
    .output({ loss: "loss" })

/** Captions and codes of embeddings -> the cross-entropy of each code given those before it. */
export const codePriorTraining = (model: AutoregressivePriorConfig) =>
  graph("autoregressive-prior", {
    ...caption,
    dot: tensor("int32", "b", "bucket"),
    codes: tensor("int32", "b k", "code"),
  })
    .node("prior", autoregressivePrior.logits(model), {
      textEmbedding: "textEmbedding",
      text: "text",
      mask: "mask",
      kept: "kept",
      dot: "dot",
      codes: "codes",
    })
    .node("loss", loss.codes({}), { logits: "prior", codes: "codes" })
    .output({ loss: "loss" })

/** Embeddings -> their principal components. */
export const componentsOf = graph("components", {
  embedding,
  mean: tensor("float32", "c"),
  axes: tensor("float32", "k c"),
})
  .node("components", embeddingComponents({}), { embedding: "embedding", mean: "mean", axes: "axes" })
  .output({ components: "components" })

/** Components, or dot products as components of one -> the bucket of each. */
export const codesOf = (buckets: number) =>
  graph("codes", {
    components: tensor("float32", "b k"),
    low: tensor("float32", "k"),
    high: tensor("float32", "k"),
  })
    .node("codes", componentCodes({ buckets }), { components: "components", low: "low", high: "high" })
    .output({ codes: "codes" })

const tensorNode = (network: Graph): TensorGraph => {
  if (network.level === "tensor") return network
  throw new Error(`internal: ${network.name} is no graph of tensor nodes`)
}

/** What the decoder is told besides the noisy image. */
const told = {
  tokens: tensor("int32", "b t", "token"),
  mask: tensor("float32", "b t", "mask"),
  keepCaption: flags,
  embedding: tensor("float32", "b d", "embedding"),
  keepEmbedding: flags,
}
const toldWires = {
  tokens: "tokens",
  mask: "mask",
  keepCaption: "keepCaption",
  embedding: "embedding",
  keepEmbedding: "keepEmbedding",
} as const

export type LossKind = DiffusionLossConfig["kind"]

/** Images, their embeddings and captions -> the loss of what was added to them. */
export const decoderTraining = (model: DecoderConfig, meaning: DiffusionConfig, kind: LossKind) =>
  graph("decoder", { image, noise, time, ...told })
    .node("noisy", diffusion.noise({ schedule: meaning.schedule }), { image: "image", noise: "noise", time: "time" })
    .node("decoder", decoder.predict(model), { image: "noisy", time: "time", ...toldWires })
    .node("prediction", prediction({ variance: meaning.variance }), {
      noise: "decoder.noise",
      variance: "decoder.variance",
    })
    .node("diffusion", loss.diffusion({ ...meaning, kind }), {
      image: "image",
      noise: "noise",
      time: "time",
      prediction: "prediction",
    })
    .output({ loss: "diffusion.loss" })

/** The decoder as what samples from it sees it; its parameters have the names that training gives them. */
export const decoderDenoiser = (model: DecoderConfig, { variance }: DiffusionConfig): Denoiser => {
  const network = graph("decoder", { noisy, time, ...told })
    .node("decoder", decoder.predict(model), { image: "noisy", time: "time", ...toldWires })
    .node("prediction", prediction({ variance }), { noise: "decoder.noise", variance: "decoder.variance" })
    .output("prediction")
  const t = model.text.kind === "encoder" ? model.text.encoder.context : 0
  return denoiserOf(tensorNode(network), {
    noisy: "noisy",
    time: "time",
    conditioning: { tokens: [t], mask: [t], keepCaption: [], embedding: [model.image?.width ?? 0], keepEmbedding: [] },
  })
}

const small = tensor("float32", "b r q c", "[-1,1]")

/** Images and small ones of the same -> the loss of what was added to the large ones. */
export const upsamplerTraining = (model: UpsamplerConfig, meaning: DiffusionConfig, kind: LossKind) =>
  graph("upsampler", { image, small, noise, time })
    .node("noisy", diffusion.noise({ schedule: meaning.schedule }), { image: "image", noise: "noise", time: "time" })
    .node("upsampler", upsampler.predict(model), { image: "noisy", small: "small", time: "time" })
    .node("prediction", prediction({ variance: meaning.variance }), {
      noise: "upsampler.noise",
      variance: "upsampler.variance",
    })
    .node("diffusion", loss.diffusion({ ...meaning, kind }), {
      image: "image",
      noise: "noise",
      time: "time",
      prediction: "prediction",
    })
    .output({ loss: "diffusion.loss" })

/** The upsampler as what samples from it sees it, for small images of some sides. */
export const upsamplerDenoiser = (
  model: UpsamplerConfig,
  { variance }: DiffusionConfig,
  side: number,
  channels = 3,
): Denoiser => {
  const network = graph("upsampler", { noisy, small, time })
    .node("upsampler", upsampler.predict(model), { image: "noisy", small: "small", time: "time" })
    .node("prediction", prediction({ variance }), { noise: "upsampler.noise", variance: "upsampler.variance" })
    .output("prediction")
  return denoiserOf(tensorNode(network), {
    noisy: "noisy",
    time: "time",
    conditioning: { small: [side, side, channels] },
  })
}

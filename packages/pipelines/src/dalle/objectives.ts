/** The objectives of DALL·E as graphs of models and losses. */
import { graph, tensor } from "@millrace/core"
import { type DvaeConfig, dvae, loss, type SparseConfig, sparse } from "@millrace/models"
import { gumbelNoise, leastWidth, squaredError } from "./nodes.js"

const image = tensor("float32", "b y x c", "[0,1]")

/**
 * Images, noise, τ and β of an update -> the evidence bound of a relaxed discrete VAE.
 * @param least  of ln b, where widths have a least
 */
export const discreteCoding = (config: DvaeConfig, least?: number) =>
  graph("discrete-coding", {
    image,
    uniform: tensor("float32", "b s k", "[0,1)"),
    temperature: tensor("float32", "", "temperature"),
    beta: tensor("float32", "", "weight"),
  })
    .node("encoder", dvae.logits(config), { image: "image" })
    .node("noise", gumbelNoise({}), { uniform: "uniform" })
    .node("relaxed", dvae.relax({}), { logits: "encoder", noise: "noise", temperature: "temperature" })
    .node("decoder", dvae.decodeRelaxed(config), { relaxed: "relaxed" })
    .node("widths", leastWidth(least === undefined ? {} : { least }), { logWidth: "decoder.logWidth" })
    .node("bound", loss.dvae({}), {
      image: "image",
      mean: "decoder.mean",
      logWidth: "widths",
      logits: "encoder",
      beta: "beta",
    })
    .output({ loss: "bound.loss", reconstruction: "bound.reconstruction", kl: "bound.kl" })

/** Images -> their most probable codes, the images of these, and how far they are off. */
export const reconstruction = (config: DvaeConfig) =>
  graph("reconstruction", { image })
    .node("encoder", dvae.codes(config), { image: "image" })
    .node("decoder", dvae.decode(config), { codes: "encoder" })
    .node("error", squaredError({}), { image: "image", decoded: "decoder" })
    .output({ codes: "encoder", decoded: "decoder", error: "error" })

/** Codes -> the images of them. */
export const decoding = (config: DvaeConfig) =>
  graph("decoding", { codes: tensor("int32", "b s", "code") })
    .node("decoder", dvae.decode(config), { codes: "codes" })
    .output({ decoded: "decoder" })

/** Captions with image codes -> the loss of predicting each token from those before it, an eighth of it the text's. */
export const imagePrior = (config: SparseConfig, pads: "counted" | "ignored") =>
  graph("image-prior", {
    tokens: tensor("int32", "b t", "token"),
    mask: tensor("float32", "b t", "mask"),
    codes: tensor("int32", "b s", "code"),
  })
    .node("logits", sparse.logits(config), { tokens: "tokens", mask: "mask", codes: "codes" })
    .node("loss", sparse.loss({ pads }), {
      text: "logits.text",
      image: "logits.image",
      tokens: "tokens",
      mask: "mask",
      codes: "codes",
    })
    .output({ loss: "loss.loss", textLoss: "loss.textLoss", imageLoss: "loss.imageLoss" })

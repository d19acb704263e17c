/** CLIP's objective in two halves, for batches that are encoded in parts. Parameters have the names of `clipParams`. */
import { graph, objectiveOf, type PartedObjective, tensor } from "@millrace/core"
import { type ClipConfig, clip, loss } from "@millrace/models"

const features = tensor("float32", "b j", "unit-norm")

/** Images and texts -> their features. */
const encoders = (config: ClipConfig) =>
  graph("clip", { pixels: tensor("float32", "b y x c", "clip"), tokens: tensor("int32", "b t", "token") })
    .node("image", clip.image(config), { image: "pixels" })
    .node("text", clip.text(config), { tokens: "tokens" })
    .output({ images: "image", texts: "text" })

/** All features -> the contrastive loss. */
const matching = () =>
  graph("clip", { images: features, texts: features })
    .node("logScale", clip.logScale({}), {})
    .node("loss", loss.clip({}), { images: "images", texts: "texts", logScale: "logScale" })
    .output({ loss: "loss" })

/** `clipTraining` as two objectives: the towers, and the loss. */
export const clipHalves = (config: ClipConfig): PartedObjective => ({
  encode: objectiveOf(encoders(config)),
  compare: objectiveOf(matching()),
})

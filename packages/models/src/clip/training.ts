import { graph, tensor } from "@millrace/core"
import { contrastiveNode } from "../losses/contrastive.js"
import { type ClipConfig, clip } from "./clip.js"

/**
 * CLIP's objective as a graph: images and the texts that belong to them -> the contrastive loss. Its parameters have the
 * names of `clipParams`.
 * @source Radford et al. 2021, figure 3
 */
export const clipTraining = (config: ClipConfig) =>
  graph("clip", { pixels: tensor("float32", "b y x c", "clip"), tokens: tensor("int32", "b t", "token") })
    .node("image", clip.image(config), { image: "pixels" })
    .node("text", clip.text(config), { tokens: "tokens" })
    .node("logScale", clip.logScale({}), {})
    .node("loss", contrastiveNode({}), { images: "image", texts: "text", logScale: "logScale" })
    .output("loss")

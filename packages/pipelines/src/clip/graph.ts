/**
 * CLIP from captioned images to a zero-shot classifier and a search.
 * Source   Radford et al. 2021, figures 1 and 3.
 */
import { graph } from "@millrace/core"
import { captionTokenizerStage } from "../captions/tokenizer.js"
import type { ImagesNode } from "../imagesNode.js"
import { clipEvaluateStage } from "./evaluate.js"
import { clipIndexStage } from "./indexStage.js"
import type { ClipPipelineConfig } from "./presets.js"
import { clipSearchStage } from "./search.js"
import { clipTrainStage } from "./train.js"

/**
 * The whole recipe, on any captioned images.
 * @throws BadConfig  a stage's config that its schema refuses
 */
export const clip = (config: ClipPipelineConfig, images: ImagesNode) =>
  graph("clip", {})
    .node("images", images, {})
    .node("tokenizer", captionTokenizerStage(config.tokenizer), { images: "images" })
    .node("train", clipTrainStage(config.train), { images: "images", tokenizer: "tokenizer" })
    .node("evaluate", clipEvaluateStage(config.evaluate), { clip: "train", images: "images" })
    .node("index", clipIndexStage(config.index), { clip: "train", images: "images" })
    .node("search", clipSearchStage(config.search), { clip: "train", index: "index", images: "images" })
    .output("evaluate", "search")

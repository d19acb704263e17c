/**
 * DALL·E from images with captions to ranked images for captions.
 * Source   Ramesh et al. 2021: a discrete VAE, a sparse transformer over captions and codes, samples ranked by CLIP.
 */
import { graph } from "@millrace/core"
import { captionTokenizerStage } from "../captions/tokenizer.js"
import { clipTrainStage } from "../clip/train.js"
import type { ImagesNode } from "../imagesNode.js"
import { codesStage } from "./codes.js"
import { dvaeStage } from "./dvae.js"
import { evaluateDalleStage } from "./evaluate.js"
import { judgeStage } from "./judge.js"
import type { DalleConfig } from "./presets.js"
import { priorStage } from "./prior.js"
import { rerankStage } from "./rerank.js"
import { sampleStage } from "./sample.js"

/**
 * The whole recipe, on any images whose facts are known.
 * @throws BadConfig  a stage's config that its schema refuses
 */
export const dalle = (config: DalleConfig, images: ImagesNode) =>
  graph("dalle", {})
    .node("images", images, {})
    .node("tokenizer", captionTokenizerStage(config.tokenizer), { images: "images" })
    .node("dvae", dvaeStage(config.dvae), { images: "images" })
    .node("codes", codesStage(config.codes), { images: "images", dvae: "dvae" })
    .node("prior", priorStage(config.prior), { codes: "codes", dvae: "dvae", tokenizer: "tokenizer" })
    .node("sample", sampleStage(config.sample), {
      prior: "prior",
      dvae: "dvae",
      tokenizer: "tokenizer",
      images: "images",
    })
    .node("clip", clipTrainStage(config.clip), { images: "images", tokenizer: "tokenizer" })
    .node("rerank", rerankStage(config.rerank), { candidates: "sample", clip: "clip" })
    .node("judge", judgeStage(config.judge), { images: "images" })
    .node("evaluate", evaluateDalleStage(config.evaluate), {
      ranked: "rerank",
      judge: "judge",
      dvae: "dvae",
      images: "images",
    })
    .output("evaluate")

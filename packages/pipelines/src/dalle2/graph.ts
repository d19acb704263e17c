/**
 * DALL·E 2 from captioned images to images of captions.
 * Source   Ramesh et al. 2022, figure 2: CLIP, a prior, a decoder, an upsampler; manipulations of section 3.
 */
import { graph } from "@millrace/core"
import { captionTokenizerStage } from "../captions/tokenizer.js"
import { clipTrainStage } from "../clip/train.js"
import type { ImagesNode } from "../imagesNode.js"
import type { Dalle2Config } from "./config.js"
import { decoderStage } from "./decoder.js"
import { embeddingsStage } from "./embeddings.js"
import { evaluatePriorStage } from "./evaluatePrior.js"
import { interpolationsStage } from "./interpolations.js"
import { unclipPriorStage } from "./prior.js"
import { retrievalStage } from "./retrieval.js"
import { unclipSampleStage } from "./sample.js"
import { textDiffsStage } from "./textDiffs.js"
import { upsamplerStage } from "./upsampler.js"
import { variationsStage } from "./variations.js"

/**
 * The whole pipeline, on any captioned images.
 * @throws BadConfig  a stage's config that its schema refuses
 */
export const dalle2 = (config: Dalle2Config, images: ImagesNode) => {
  const makers = { embeddings: "embeddings", clip: "clip", decoder: "decoder", upsampler: "upsampler" } as const
  const changers = { ...makers, images: "images" } as const
  return graph("dalle2", {})
    .node("images", images, {})
    .node("tokenizer", captionTokenizerStage(config.tokenizer), { images: "images" })
    .node("clip", clipTrainStage(config.clip), { images: "images", tokenizer: "tokenizer" })
    .node("embeddings", embeddingsStage(config.embeddings), { images: "images", clip: "clip" })
    .node("prior", unclipPriorStage(config.prior), { embeddings: "embeddings", clip: "clip" })
    .node("evaluatePrior", evaluatePriorStage(config.evaluatePrior), {
      prior: "prior",
      embeddings: "embeddings",
      clip: "clip",
    })
    .node("decoder", decoderStage(config.decoder), { images: "images", embeddings: "embeddings", clip: "clip" })
    .node("upsampler", upsamplerStage(config.upsampler), { images: "images", embeddings: "embeddings" })
    .node("retrieval", retrievalStage(config.retrieval), changers)
    .node("sample", unclipSampleStage(config.sample), { ...makers, prior: "prior" })
    .node("variations", variationsStage(config.variations), changers)
    .node("interpolations", interpolationsStage(config.interpolations), changers)
    .node("textDiffs", textDiffsStage(config.textDiffs), changers)
    .output("evaluatePrior", "retrieval", "sample", "variations", "interpolations", "textDiffs")
}

import type { ParamSpec } from "@millrace/core"
import {
  ClipConfig,
  type ClipParams,
  clipImageFeatures,
  clipParams,
  clipTextFeatures,
  contrastiveLoss,
  cosines,
  huggingFaceClip,
  openAiClip,
  type RenameTable,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { type ParityModel, parityModel } from "./parity.js"

const whole = (about: Pick<ParityModel, "model" | "file" | "fixtures">, table: (config: ClipConfig) => RenameTable) =>
  parityModel({
    ...about,
    paper: "Radford et al. 2021",
    figure: "figure 3",
    config: ClipConfig,
    params: clipParams,
    table,
    apply: (config, params, { image, tokens }) => {
      const p: ClipParams = params
      const images = clipImageFeatures(config, p.image, image!)
      const texts = clipTextFeatures(config, p.text, tokens!)
      return { images, texts, logits: tf.mul(cosines(images, texts), tf.exp(p.logScale)) }
    },
  })

export const clipParity = [
  whole(
    {
      model: "CLIP, vision transformer",
      file: "clip/vit.ts",
      fixtures: ["clip-transformers", "clip-transformers-gelu"],
    },
    () => huggingFaceClip,
  ),
  whole(
    {
      model: "CLIP, vision transformer of openai/CLIP",
      file: "clip/vit.ts",
      fixtures: ["clip-open-clip", "clip-open-clip-gelu"],
    },
    openAiClip,
  ),
  whole(
    { model: "CLIP, modified ResNet", file: "clip/resNet.ts", fixtures: ["clip-resnet-running", "clip-resnet-batch"] },
    openAiClip,
  ),
  parityModel({
    model: "CLIP's contrastive loss",
    paper: "Radford et al. 2021",
    figure: "figure 3",
    file: "losses/contrastive.ts",
    fixtures: ["clip-loss", "clip-loss-one"],
    config: Schema.Struct({}),
    params: (): Record<string, ParamSpec> => ({}),
    table: () => ({ name: "open_clip ClipLoss", renames: [] }),
    apply: (_config, _params, { images, texts, logScale }) => ({ loss: contrastiveLoss(images!, texts!, logScale!) }),
  }),
]

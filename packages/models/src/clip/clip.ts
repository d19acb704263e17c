/**
 * CLIP: images and texts in one space.
 *   image -> vision transformer or modified ResNet -> length 1 ─┐
 *                                                               ├─ cosine · e^logScale
 *   tokens -> text tower ------------------------> length 1 ────┘
 * Source   Radford et al. 2021, section 2 and figure 3.
 * Axes     b batch, t position, y x image row and column, c channels, k texts or classes, n prompts of a class, j joint width
 */
import { defineTensorNode, type ParamSpec, type ParamsOf, tensor, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { Size } from "../layers/sizes.js"
import { preprocess } from "./preprocess.js"
import { ResNetConfig, type ResNetParams, resNet, resNetParams } from "./resNet.js"
import { ClipTextConfig, clipText, clipTextParams } from "./text.js"
import { unitNorm } from "./unitNorm.js"
import { VitConfig, type VitParams, vit, vitParams } from "./vit.js"
import { classProbabilities, ensemble } from "./zeroShot.js"

// --- config

/** The shape of a CLIP. `joint` is the width of the space that both towers end in. */
export const ClipConfig = Schema.Struct({
  joint: Size,
  image: Schema.Union([VitConfig, ResNetConfig]),
  text: ClipTextConfig,
})
export type ClipConfig = typeof ClipConfig.Type

// --- parameters

/**
 * The logarithm of what cosines are multiplied with: it starts at ln(1 / 0.07), and after each step of the optimiser it is
 * lowered to ln 100 where it is above, so that its gradient is always the loss's own.
 *
 * The paper clips the scale "to prevent scaling the logits by more than 100"; openai/CLIP published no training code, and
 * open_clip does it so, and also raises what is below 0, of which the paper says nothing and which is left out here.
 * @source Radford et al. 2021, section 2.5; open_clip `train.py`
 */
const logScaleParam: ParamSpec = {
  shape: [],
  init: { kind: "uniform", low: Math.log(1 / 0.07), high: Math.log(1 / 0.07) },
  max: Math.log(100),
}

const imageParams = ({ image, joint }: ClipConfig) =>
  image.kind === "vit" ? vitParams(image, joint) : resNetParams(image, joint)

const textParams = ({ text, joint }: ClipConfig) => clipTextParams(text, joint)

/** Parameters of a CLIP, as specs. Nothing is allocated, at any size. */
export const clipParams = (config: ClipConfig) => ({
  image: imageParams(config),
  text: textParams(config),
  logScale: logScaleParam,
})
export type ClipParams = ParamsOf<ReturnType<typeof clipParams>>

// --- forward

/**
 * @param image  float32  b y x c   preprocessed
 * @returns      float32  b j       of length 1
 */
export const clipImageFeatures = ({ image: config }: ClipConfig, p: ClipParams["image"], image: tf.Tensor): tf.Tensor =>
  unitNorm(config.kind === "vit" ? vit(config, p as VitParams, image) : resNet(config, p as ResNetParams, image))

/**
 * @param tokens  int32    b t
 * @returns       float32  b j   of length 1
 * @throws BadLength  t is above the context
 */
export const clipTextFeatures = ({ text }: ClipConfig, p: ClipParams["text"], tokens: tf.Tensor): tf.Tensor =>
  unitNorm(clipText(text, p, tokens))

/** Cosines of all images with all texts, from features of length 1. float32 `b j`, `k j` -> `b k` */
export const cosines = (images: tf.Tensor, texts: tf.Tensor): tf.Tensor => tf.matMul(images, texts, false, true)

// --- nodes

const source = "Radford et al. 2021, section 2 and figure 3"
const preprocessed = tensor("float32", "b y x c", "clip")
const tokens = tensor("int32", "b t", "token")
const features = tensor("float32", "b j", "unit-norm")
const imageSizes = ({ image: { size }, joint }: ClipConfig) => ({ y: size, x: size, c: 3, j: joint })

/** CLIP's nodes. */
export const clip = {
  /** `pixels` -> what the image towers take: the mean taken off, divided by the standard deviation, by channel. */
  preprocess: defineTensorNode({
    type: "clip.preprocess",
    version: 1,
    source: "openai/CLIP `clip.py`",
    config: Schema.Struct({}),
    ports: () => ({ in: { pixels: tensor("float32", "b y x c", "[0,1]") }, out: preprocessed, sizes: { c: 3 } }),
    apply: (_config, _params, { pixels }) => preprocess(pixels),
  }),

  /** `image` -> its feature. */
  image: defineTensorNode({
    type: "clip.image",
    version: 1,
    source,
    config: ClipConfig,
    ports: (config) => ({ in: { image: preprocessed }, out: features, sizes: imageSizes(config) }),
    params: imageParams,
    apply: (config, p, { image }) => clipImageFeatures(config, p, image),
  }),

  /** `tokens` -> the feature of each text. */
  text: defineTensorNode({
    type: "clip.text",
    version: 1,
    source,
    config: ClipConfig,
    ports: ({ joint }) => ({ in: { tokens }, out: features, sizes: { j: joint } }),
    params: textParams,
    apply: (config, p, given) => clipTextFeatures(config, p, given.tokens),
  }),

  /** The learned temperature, as the logarithm of the scale of cosines. */
  logScale: defineTensorNode({
    type: "clip.logScale",
    version: 1,
    source: "Radford et al. 2021, section 2.5",
    config: Schema.Struct({}),
    ports: () => ({ in: {}, out: tensor("float32", "", "ln") }),
    params: () => logScaleParam,
    // A node's value is its own: the parameter's tensor belongs to the engine.
    apply: (_config, p) => tf.clone(p),
  }),

  /** `images`, `texts` -> the cosine of each image with each text. */
  similarity: defineTensorNode({
    type: "clip.similarity",
    version: 1,
    source,
    config: Schema.Struct({}),
    ports: () => ({
      in: { images: features, texts: tensor("float32", "k j", "unit-norm") },
      out: tensor("float32", "b k", "cosine"),
    }),
    apply: (_config, _params, { images, texts }) => cosines(images, texts),
  }),

  /** `image`, `tokens` -> the cosine of each image with its own text: what samples are ranked by. */
  score: defineTensorNode({
    type: "clip.score",
    version: 1,
    source: "Radford et al. 2021, figure 3; for ranking samples Ramesh et al. 2021, section 2.6",
    config: ClipConfig,
    ports: (config) => ({
      in: { image: preprocessed, tokens },
      out: tensor("float32", "b", "cosine"),
      sizes: imageSizes(config),
    }),
    params: (config) => ({ image: imageParams(config), text: textParams(config) }),
    apply: (config, p, given) => {
      const image = withPath("image", () => clipImageFeatures(config, p.image, given.image)) // b j
      const text = withPath("text", () => clipTextFeatures(config, p.text, given.tokens)) // b j
      return tf.sum(tf.mul(image, text), 1) // b
    },
  }),

  /** `tokens` of n prompts for each of k classes -> one feature a class. */
  classes: defineTensorNode({
    type: "clip.classes",
    version: 1,
    source: "Radford et al. 2021, section 3.1.4",
    config: ClipConfig,
    ports: ({ joint }) => ({
      in: { tokens: tensor("int32", "k n t", "token") },
      out: tensor("float32", "k j", "unit-norm"),
      sizes: { j: joint },
    }),
    params: textParams,
    apply: (config, p, given) => {
      const [k = 0, n = 0, t = 0] = given.tokens.shape
      const each = clipTextFeatures(config, p, tf.reshape(given.tokens, [k * n, t])) // (k n) j
      return ensemble(tf.reshape(each, [k, n, config.joint])) // k j
    },
  }),

  /** `images`, `classes` -> the probability of each class: the zero-shot classifier. */
  classify: defineTensorNode({
    type: "clip.classify",
    version: 1,
    source: "Radford et al. 2021, section 3.1.2",
    config: Schema.Struct({
      scale: Schema.Finite.check(Schema.isGreaterThan(0)).annotate({
        description: "What cosines are multiplied with. 100: openai/CLIP, whose models all end at that cap.",
      }),
    }),
    ports: () => ({
      in: { images: features, classes: tensor("float32", "k j", "unit-norm") },
      out: tensor("float32", "b k", "probability"),
    }),
    apply: ({ scale }, _, { images, classes }) => classProbabilities(images, classes, scale),
    laws: async () => (await import("../laws/imageNodeLaws.js")).classifyNodeLaws(),
  }),
}

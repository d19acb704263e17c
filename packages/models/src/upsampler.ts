/**
 * An upsampler: the noise in a large image of which a small one is given. It knows no caption.
 *   noisy image, small image resized to its sides -> one above the other in channels -> U-Net without attention -> noise
 * Source   Ramesh et al. 2022, section 2.1 and table 3; Ho et al. 2021 (cascades); kakaobrain/karlo.
 * Axes     b batch, y x image row and column, r q row and column of the small image, c channels
 */
import { defineTensorNode, type ParamSpec, tensor } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { resizeImage } from "./corruption/resizeImage.js"
import { noiseAndVariance, UnetConfig, type UnetParams, type UnetTree, unetParams, unetPredict } from "./unet.js"

// --- config

/**
 * The shape of an upsampler.
 *
 * - `unet`: its input has the channels of both images.
 * - `resize`: how the small image gets the large one's sides: `bilinear` (GLIDE; the default) or `bicubic` (Karlo).
 *   unCLIP's is not stated.
 */
export const UpsamplerConfig = Schema.Struct({
  unet: UnetConfig,
  resize: Schema.optionalKey(Schema.Literals(["bilinear", "bicubic"])),
}).check(
  Schema.makeFilter(({ unet: { input = 3, output = 3 } }) =>
    input % 2 === 0 && output === input
      ? undefined
      : `unet.input ${input} and unet.output ${output} must both be twice the channels of an image`,
  ),
)
export type UpsamplerConfig = typeof UpsamplerConfig.Type

// --- parameters

/** Parameters of an upsampler, as specs. Nothing is allocated, at any size. */
export const upsamplerParams = ({ unet }: UpsamplerConfig): UnetTree<ParamSpec> => unetParams(unet)

// --- forward

/**
 * @param image  float32  b y x c   noisy
 * @param small  float32  b r q c   [-1,1]
 * @param time   int32    b
 * @returns      float32  b y x (2 c): noise and variance
 */
export const upsamplerPredict = (
  config: UpsamplerConfig,
  p: UnetParams,
  image: tf.Tensor,
  small: tf.Tensor,
  time: tf.Tensor,
): tf.Tensor => {
  const [, y = 0, x = 0] = image.shape
  const large = resizeImage(small, [y, x], config.resize ?? "bilinear") // b y x c
  return unetPredict(config.unet, p, tf.concat([image, large], 3), time)
}

// --- nodes

/** An upsampler's node. */
export const upsampler = {
  /** A noisy `image` of its `time` and the `small` image that it is of -> noise and variance. */
  predict: defineTensorNode({
    type: "upsampler.predict",
    version: 1,
    source: "Ramesh et al. 2022, section 2.1",
    config: UpsamplerConfig,
    ports: ({ unet: { input = 6 } }) => ({
      in: {
        image: tensor("float32", "b y x c", "noisy"),
        small: tensor("float32", "b r q c", "[-1,1]"),
        time: tensor("int32", "b", "step"),
      },
      out: { noise: tensor("float32", "b y x c", "noise"), variance: tensor("float32", "b y x c", "variance") },
      sizes: { c: input / 2 },
    }),
    params: upsamplerParams,
    apply: (config, p, { image, small, time }) => noiseAndVariance(upsamplerPredict(config, p, image, small, time)),
  }),
}

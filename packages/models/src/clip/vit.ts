/**
 * CLIP's vision transformer.
 *   image -> patches -> [class, patches] + position -> norm -> transformer -> norm of the class -> projection
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, VisionTransformer.
 * Axes     b batch, y x image row and column, c channels, t patch, d width, j joint width
 */
import { normal, type ParamsOf, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { fanIn } from "../layers/fanIn.js"
import { norm } from "../layers/norm.js"
import { normOf, param } from "../layers/params.js"
import { headsDivide, Size } from "../layers/sizes.js"
import { transformer, transformerFields, transformerParams } from "./block.js"

// --- config

/** The shape of a vision transformer. `size` and `patch` are the pixels of an image's side, and of a patch's. */
export const VitConfig = Schema.Struct({
  kind: Schema.Literal("vit"),
  size: Size,
  patch: Size,
  ...transformerFields,
})
  .check(Schema.makeFilter(headsDivide))
  .check(
    Schema.makeFilter(({ size, patch }) =>
      size % patch === 0 ? undefined : `size ${size} must be a multiple of patch ${patch}`,
    ),
  )
export type VitConfig = typeof VitConfig.Type

// --- parameters

/** Parameters of a vision transformer, as specs. Nothing is allocated, at any size. */
export const vitParams = (config: VitConfig, joint: number) => {
  const { width: d, size, patch } = config
  const scale = normal(d ** -0.5)
  return {
    patches: { weight: param([patch, patch, 3, d], fanIn(3 * patch * patch)) },
    /** Comes first in every sequence, and is what the image is read from. */
    classToken: param([d], scale),
    position: param([(size / patch) ** 2 + 1, d], scale),
    normBefore: normOf(d),
    blocks: transformerParams(config, "vision"),
    normAfter: normOf(d),
    projection: param([d, joint], scale),
  }
}
export type VitParams = ParamsOf<ReturnType<typeof vitParams>>

// --- forward

/** The convolution whose stride is its kernel: each patch is a row, and all of them one product. b t d */
const patches = (image: tf.Tensor, weight: tf.Tensor): tf.Tensor => {
  const [b = 0, y = 0, x = 0, c = 0] = image.shape
  const [k = 0, , , d = 0] = weight.shape
  const parted = tf.reshape(image, [b, y / k, k, x / k, k * c])
  const rows = tf.reshape(tf.transpose(parted, [0, 1, 3, 2, 4]), [-1, k * k * c]) // (b t) (k k c)
  return tf.reshape(tf.matMul(rows, tf.reshape(weight, [k * k * c, d])), [b, (y / k) * (x / k), d])
}

/**
 * @param image  float32  b y x c   preprocessed
 * @returns      float32  b j       of any length
 * @law          without positions, the order of the patches is irrelevant
 */
export const vit = (config: VitConfig, p: VitParams, image: tf.Tensor): tf.Tensor => {
  const [b = 0] = image.shape
  const { width: d } = config
  const tokens = withPath("embed", () => {
    const start = tf.add(tf.zeros([b, 1, d]), p.classToken) // b 1 d
    return tf.add(tf.concat([start, patches(image, p.patches.weight)], 1), p.position) // b t+1 d
  })
  const x = transformer(config, p.blocks, norm(p.normBefore, tokens), null) // b t+1 d
  const first = tf.reshape(tf.slice(x, [0, 0, 0], [b, 1, d]), [b, d]) // b d
  return withPath("project", () => tf.matMul(norm(p.normAfter, first), p.projection)) // b j
}

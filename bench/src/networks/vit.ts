/**
 * CLIP's vision transformer.
 *   image -> patches -> [class, patches] + position -> norm -> transformer -> norm of the class -> projection
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, VisionTransformer.
 * Axes     b batch, y x image row and column, c channels, t patch, d width, j joint width
 */
import { normal, type ParamsOf } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { norm, type TransformerConfig, transformer, transformerParams } from "./clipBlock.js"
import { normOf, param } from "./params.js"

export interface VitConfig extends TransformerConfig {
  readonly kind: "vit"
  /** Pixels of an image's side, and of a patch's. */
  readonly size: number
  readonly patch: number
}

export const vitParams = (config: VitConfig, joint: number) => {
  const { width: d, size, patch } = config
  const scale = normal(d ** -0.5)
  return {
    patches: { weight: param([patch, patch, 3, d], normal(1 / Math.sqrt(3 * patch * patch))) },
    classToken: param([d], scale),
    position: param([(size / patch) ** 2 + 1, d], scale),
    normBefore: normOf(d),
    blocks: transformerParams(config),
    normAfter: normOf(d),
    projection: param([d, joint], scale),
  }
}

/** The convolution whose stride is its kernel: each patch is a row, and all of them one product. b t d */
const patches = (image: tf.Tensor, weight: tf.Tensor): tf.Tensor => {
  const [b = 0, y = 0, x = 0, c = 0] = image.shape
  const [k = 0, , , d = 0] = weight.shape
  const parted = tf.reshape(image, [b, y / k, k, x / k, k * c])
  const rows = tf.reshape(tf.transpose(parted, [0, 1, 3, 2, 4]), [-1, k * k * c]) // (b t) (k k c)
  return tf.reshape(tf.matMul(rows, tf.reshape(weight, [k * k * c, d])), [b, (y / k) * (x / k), d])
}

/**
 * @param image  float32  b y x c
 * @returns      float32  b j
 */
export const vit = (config: VitConfig, p: ParamsOf<ReturnType<typeof vitParams>>, image: tf.Tensor): tf.Tensor => {
  const [b = 0] = image.shape
  const { width: d } = config
  const start = tf.add(tf.zeros([b, 1, d]), p.classToken) // b 1 d
  const tokens = tf.add(tf.concat([start, patches(image, p.patches.weight)], 1), p.position) // b t+1 d
  const x = transformer(p.blocks, norm(p.normBefore, tokens), config.heads, null) // b t+1 d
  const first = tf.reshape(tf.slice(x, [0, 0, 0], [b, 1, d]), [b, d]) // b d
  return tf.matMul(norm(p.normAfter, first), p.projection) // b j
}

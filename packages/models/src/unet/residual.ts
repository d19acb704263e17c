/**
 * The residual block of a diffusion U-Net.
 *   x -> norm, SiLU, [resize], convolution -> modulated by the embedding -> SiLU, convolution of zeros -> + [resize] x
 * Source   Dhariwal and Nichol 2021, section 3; openai/guided-diffusion `unet.py`, ResBlock.
 * Differs  Without dropout: a step would depend on more than its inputs.
 * Axes     b batch, y x image row and column, c channels, d width of the embedding
 */
import { groupNorm, linear, type ParamSpec, type ParamsOf, silu, zeros } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { conv } from "../layers/conv.js"
import { type Affine, convOf, linearOf, type Norm, normOf } from "../layers/params.js"

/** How the embedding acts: on the scale and shift of the second norm (ADM), or added before it (Ho et al. 2020). */
export type Modulation = "scale-shift" | "add"

/** A change of both sides inside of the block: mean of 2 × 2, or nearest neighbour. */
export type Resizing = "halve" | "double"

export type ResidualTree<Leaf> = {
  readonly norm1: Norm<Leaf>
  readonly conv1: Affine<Leaf>
  readonly time: Affine<Leaf>
  readonly norm2: Norm<Leaf>
  /** Of zeros at first, so that a block begins as its skip. */
  readonly conv2: Affine<Leaf>
  /** 1 × 1, where the channels change. */
  readonly skip?: Affine<Leaf>
}

export const residualParams = (
  inputs: number,
  outputs: number,
  embedding: number,
  modulation: Modulation,
): ResidualTree<ParamSpec> => ({
  norm1: normOf(inputs),
  conv1: convOf(3, inputs, outputs),
  time: linearOf(embedding, modulation === "scale-shift" ? 2 * outputs : outputs),
  norm2: normOf(outputs),
  conv2: convOf(3, outputs, outputs, zeros),
  ...(inputs === outputs ? {} : { skip: convOf(1, inputs, outputs) }),
})

type Residual = ParamsOf<ResidualTree<ParamSpec>>

/** Group norm with the U-Net's epsilon. */
export const norm = (p: Residual["norm1"], x: tf.Tensor, groups: number): tf.Tensor =>
  groupNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, groups, 1e-5)

/** Nearest neighbour. float32 `b y x c` -> `b (2 y) (2 x) c` */
export const doubled = (x: tf.Tensor): tf.Tensor => {
  const [, y = 0, width = 0] = x.shape
  return tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * y, 2 * width])
}

/** The mean of each 2 × 2. float32 `b (2 y) (2 x) c` -> `b y x c` */
export const halved = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid")

export interface ResidualOptions {
  /** Of the norms; divides the channels before and behind. */
  readonly groups: number
  readonly modulation: Modulation
  readonly resizing?: Resizing
}

/**
 * @param x     float32  b y x c
 * @param time  float32  b d
 * @returns     float32  b y x f, with half or double the sides where the block resizes
 * @law         with its second convolution of zeros it is its skip
 */
export const residual = (p: Residual, x: tf.Tensor, time: tf.Tensor, options: ResidualOptions): tf.Tensor => {
  const { groups, modulation, resizing } = options
  const resized = (z: tf.Tensor): tf.Tensor =>
    resizing === undefined ? z : resizing === "halve" ? halved(z) : doubled(z)
  const y = conv(resized(silu(norm(p.norm1, x, groups))), p.conv1) // b y x f
  const c = p.time.bias.size
  const moved = tf.reshape(linear(silu(time), p.time.weight, p.time.bias), [y.shape[0] ?? 0, 1, 1, c]) // b 1 1 c
  const modulated = (): tf.Tensor => {
    if (modulation === "add") return norm(p.norm2, tf.add(y, moved), groups)
    const [scale, shift] = tf.split(moved, 2, 3) as [tf.Tensor, tf.Tensor]
    return tf.add(tf.mul(norm(p.norm2, y, groups), tf.add(scale, 1)), shift)
  }
  const z = conv(silu(modulated()), p.conv2)
  const straight = resized(x)
  return tf.add(p.skip === undefined ? straight : conv(straight, p.skip), z)
}

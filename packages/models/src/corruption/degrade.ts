/**
 * A diverse degradation of small images: blur, a loss of resolution, noise and JPEG, for each image in its own order and
 * strength.
 * Source   Zhang et al. 2021, section 3 (BSRGAN), which unCLIP's second upsampler is trained with.
 * Differs  Blur is along rows and columns, without a turned kernel and without a second time; the lost resolution is a
 *          half or none; noise is independent in its channels; the camera's own processing is left out.
 * Axes     b batch, y x image row and column, k neighbour, n operation
 */
import { type HostTensors, int32, type Key, random, split } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { blur, gaussianTaps } from "./blur.js"
import { jpeg } from "./jpeg.js"
import { resizeImage } from "./resizeImage.js"

/** How strong each operation is; the defaults are BSRGAN's for images of bytes. */
export interface DegradeConfig {
  /** Neighbours of the blur, odd: 7 unless given. */
  readonly taps?: number
  /** Of the blur, in pixels: 0.1 to 2.4 unless given. */
  readonly sigma?: readonly [low: number, high: number]
  /** Standard deviation of the noise in steps of a byte: 1 to 25 unless given. */
  readonly noise?: readonly [low: number, high: number]
  /** 30 to 95 unless given. */
  readonly quality?: readonly [low: number, high: number]
}

/** Operations in the order in which `order` counts them. */
export const degradations = ["blur", "resize", "noise", "jpeg"] as const

/** What chance decides of a batch, as inputs of `degrade`. */
export interface Draws<T> {
  /** A permutation of the four operations. int32  b 4 */
  readonly order: T
  /** Weights of neighbours in y and in x. float32  b k */
  readonly rows: T
  readonly columns: T
  /** How half the resolution is lost: 0 not at all, 1 bilinear, 2 bicubic. int32  b */
  readonly resampling: T
  /** Standard deviation of the noise. float32  b */
  readonly level: T
  /** Standard normal. float32  b y x 3 */
  readonly noise: T
  /** Of JPEG. float32  b */
  readonly quality: T
}

/** Draws for images of a shape `b y x 3`. Each image's are of the key and its index alone. */
export const drawDegradation = (
  key: Key,
  shape: readonly [b: number, y: number, x: number, c: number],
  config: DegradeConfig = {},
): Draws<HostTensors[string]> => {
  const { taps = 7, sigma = [0.1, 2.4], noise = [1, 25], quality = [30, 95] } = config
  const b = shape[0]
  const between = (name: string, [low, high]: readonly [number, number]): Float32Array =>
    random.uniform(split(key, name), [b]).data.map((u) => low + u * (high - low))
  const weights = (name: string): HostTensors[string] => ({
    dtype: "float32",
    shape: [b, taps],
    data: Float32Array.from([...between(name, sigma)].flatMap((s) => gaussianTaps(taps, s))),
  })
  const orders = Array.from({ length: b }, (_, i) => [
    ...random.permutation(split(split(key, "order"), i), degradations.length),
  ])
  return {
    order: int32([b, degradations.length], orders.flat()),
    rows: weights("rows"),
    columns: weights("columns"),
    resampling: int32([b], random.integers(split(key, "resampling"), [b], 0, 3).data),
    level: { dtype: "float32", shape: [b], data: between("level", noise).map((bytes) => bytes / 127.5) },
    noise: random.normal(split(key, "noise"), shape),
    quality: { dtype: "float32", shape: [b], data: between("quality", quality) },
  }
}

/** Half the sides and back. */
const lost = (x: tf.Tensor, resampling: tf.Tensor): tf.Tensor => {
  const [b = 0, rows = 0, columns = 0] = x.shape
  const half = [Math.ceil(rows / 2), Math.ceil(columns / 2)] as const
  const which = tf.reshape(resampling, [b, 1, 1, 1])
  const there = (how: "bilinear" | "bicubic"): tf.Tensor =>
    resizeImage(resizeImage(x, half, "bilinear"), [rows, columns], how)
  return tf.where(
    tf.equal(which, tf.scalar(0, "int32")),
    x,
    tf.where(tf.equal(which, tf.scalar(1, "int32")), there("bilinear"), there("bicubic")),
  )
}

/**
 * Images after the four operations that chance put in an order.
 * @param x  float32  b y x 3  [-1,1], y and x multiples of 8
 * @returns  float32  b y x 3  [-1,1]
 * @law      it stays in range; an image's result depends on its own draws alone
 */
export const degrade = (x: tf.Tensor, draws: Draws<tf.Tensor>): tf.Tensor => {
  const b = x.shape[0] ?? 0
  const level = tf.reshape(draws.level, [b, 1, 1, 1])
  let y = x
  for (let turn = 0; turn < degradations.length; turn++) {
    const which = tf.reshape(tf.slice(draws.order, [0, turn], [b, 1]), [b, 1, 1, 1])
    const made = [
      blur(y, draws.rows, draws.columns),
      lost(y, draws.resampling),
      tf.add(y, tf.mul(draws.noise, level)),
      jpeg(y, draws.quality),
    ]
    const chosen = made.reduce((rest, each, i) => tf.where(tf.equal(which, tf.scalar(i, "int32")), each, rest))
    y = tf.clipByValue(chosen, -1, 1)
  }
  return y
}

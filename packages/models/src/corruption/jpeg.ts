/** What JPEG loses. */
import { ShapeMismatch } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

const side = 8

/** Orthonormal cosines of 8 samples, one frequency a row. */
const cosines = Float32Array.from({ length: side * side }, (_, i) => {
  const [frequency, at] = [Math.floor(i / side), i % side]
  return Math.sqrt((frequency === 0 ? 1 : 2) / side) * Math.cos((Math.PI * frequency * (2 * at + 1)) / (2 * side))
})

/** From red, green and blue to luminance and two differences of colour: ITU-T T.871, section 7. */
const colours = [
  [0.299, -0.168736, 0.5],
  [0.587, -0.331264, -0.418688],
  [0.114, 0.5, -0.081312],
].flat()
const backColours = [
  [1, 1, 1],
  [0, -0.344136, 1.772],
  [1.402, -0.714136, 0],
].flat()

/** Steps of the coefficients at quality 50: ITU-T T.81, tables K.1 and K.2. */
const luminance = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]
const chrominance = Array.from({ length: side * side }, (_, i) => {
  const [y, x] = [Math.floor(i / side), i % side]
  const corner = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
  ]
  return corner[y]?.[x] ?? 99
})

const tables = Float32Array.from({ length: side * side * 3 }, (_, i) =>
  i % 3 === 0 ? luminance[i / 3]! : chrominance[Math.floor(i / 3)]!,
)

/** Steps at a quality, as the Independent JPEG Group scales them. float32 `b` -> `b 1 1 8 8 3` */
const stepsOf = (quality: tf.Tensor): tf.Tensor => {
  const q = tf.reshape(tf.cast(quality, "float32"), [-1, 1, 1, 1, 1, 1])
  const scale = tf.where(tf.less(q, 50), tf.div(50, q), tf.sub(2, tf.div(q, 50)))
  return tf.clipByValue(tf.round(tf.mul(scale, tf.tensor(tables, [1, 1, 1, side, side, 3]))), 1, 255)
}

/** Each 8 × 8 of rows and columns, by frequency or back. */
const turned = (blocks: tf.Tensor, matrix: tf.Tensor2D): tf.Tensor => {
  const [b = 0, rows = 0, columns = 0] = blocks.shape
  const flat = tf.reshape(blocks, [b * rows * columns, side, side * 3])
  const down = tf.reshape(tf.matMul(matrix, flat), [b * rows * columns * side, side, 3])
  return tf.reshape(tf.matMul(matrix, down), blocks.shape)
}

/**
 * Images as they come back from JPEG: colours apart, cosines of each 8 × 8, rounded to the steps of a quality, and back.
 * Colour is not halved first and nothing is rounded to bytes, which other encoders do.
 * @param x        float32  b y x 3  [-1,1], y and x multiples of 8
 * @param quality  from 1 to 100  float32  b
 * @returns        float32  b y x 3  not clipped
 * @law            what was compressed is compressed again without loss
 * @throws ShapeMismatch  the image is not of 3 channels, or not of whole blocks
 * @source         ITU-T T.81, annexes A and K
 */
export const jpeg = (x: tf.Tensor, quality: tf.Tensor): tf.Tensor => {
  const [b = 0, height = 0, width = 0, c = 0] = x.shape
  if (c !== 3 || height % side !== 0 || width % side !== 0) {
    throw new ShapeMismatch({
      where: "jpeg",
      expected: "3 channels, and sides that are multiples of 8",
      received: `[${x.shape.join(", ")}]`,
      fix: "crop the image to whole blocks",
    })
  }
  const [rows, columns] = [height / side, width / side]
  // Bytes around 0, as the standard has them.
  const apart = tf.matMul(tf.reshape(tf.mul(x, 127.5), [-1, 3]), tf.tensor2d(colours, [3, 3]))
  const blocks = tf.transpose(tf.reshape(apart, [b, rows, side, columns, side, 3]), [0, 1, 3, 2, 4, 5])
  const steps = stepsOf(quality)
  const forth = tf.tensor2d(cosines, [side, side])
  const rounded = tf.mul(tf.round(tf.div(turned(blocks, forth), steps)), steps)
  const back = tf.transpose(turned(rounded, tf.transpose(forth) as tf.Tensor2D), [0, 1, 3, 2, 4, 5])
  const joined = tf.matMul(tf.reshape(back, [-1, 3]), tf.tensor2d(backColours, [3, 3]))
  return tf.div(tf.reshape(joined, x.shape), 127.5)
}

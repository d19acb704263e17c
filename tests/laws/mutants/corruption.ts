import { blur, degrade, gaussianTaps, jpeg, resizeImage } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { blurLaws, degradeLaws, jpegLaws, resizeLaws } from "../corruptionLaws.js"
import { mutantSet } from "./mutantSet.js"

/** One direction with zeros or with the mirror image without its edge around. */
const padded =
  (pad: (x: tf.Tensor, half: number) => tf.Tensor): typeof blur =>
  (x, rows, columns) => {
    const count = columns.shape[1]!
    const half = (count - 1) / 2
    const wide = pad(blur(x, rows, tf.tensor2d([[1]])), half)
    return tf.addN(
      Array.from({ length: count }, (_, i) =>
        tf.mul(
          tf.slice(wide, [0, 0, i, 0], x.shape),
          tf.reshape(tf.slice(columns, [0, i], [columns.shape[0]!, 1]), [-1, 1, 1, 1]),
        ),
      ),
    )
  }

const atCorners: typeof resizeImage = (x, to) => tf.image.resizeBilinear(x as tf.Tensor4D, [to[0], to[1]], false, false)

export const blurMutants = mutantSet<typeof blur>({
  subject: "blur",
  laws: blurLaws,
  real: blur,
  mutants: {
    "with zeros around": padded((x, half) =>
      tf.pad(x, [
        [0, 0],
        [0, 0],
        [half, half],
        [0, 0],
      ]),
    ),
    "with the mirror image without its edge around": padded((x, half) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [0, 0],
          [half, half],
          [0, 0],
        ],
        "reflect",
      ),
    ),
    "of one side": (x, rows, columns) => {
      const [b = 0, y = 0, width = 0, c = 0] = x.shape
      const moved = tf.concat(
        [tf.slice(x, [0, 0, 0, 0], [b, y, 1, c]), tf.slice(x, [0, 0, 0, 0], [b, y, width - 1, c])],
        2,
      )
      return blur(tf.div(tf.add(x, moved), 2), rows, columns)
    },
    "that takes rows for columns": (x, rows, _) => blur(x, rows, rows),
    "of what it likes": (x, rows, columns) => tf.where(tf.greater(x, 0.1), blur(x, rows, columns), x),
    "that sharpens": (x, rows, columns) => tf.sub(tf.mul(2, x), blur(x, rows, columns)),
    "of nothing": (x) => x,
  },
})

export const resizeMutants = mutantSet<typeof resizeImage>({
  subject: "resizing",
  laws: resizeLaws,
  real: resizeImage,
  mutants: {
    "that dims": (x, to, kind) => tf.mul(0.9, resizeImage(x, to, kind)),
    "that blurs": (x, to, kind) => {
      const taps = tf.tensor2d([...gaussianTaps(3, 0.6)], [1, 3])
      return resizeImage(blur(x, taps, taps), to, kind)
    },
    "from the corners of pixels": atCorners,
    "to the nearest pixel": (x, to) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [to[0], to[1]], false, true),
    "that passes pixels over": atCorners,
  },
})

export const jpegMutants = mutantSet<typeof jpeg>({
  subject: "JPEG",
  laws: jpegLaws,
  real: jpeg,
  runs: 8,
  mutants: {
    "with noise": (x, quality) => tf.add(jpeg(x, quality), tf.mul(0.01, tf.sin(tf.mul(1e4, x)))),
    "of the worst quality": (x, quality) => jpeg(x, tf.onesLike(quality)),
    "that loses nothing": (x) => x,
    "of all blocks at once": (x, quality) => tf.add(jpeg(x, quality), tf.mul(0.1, tf.mean(x))),
    "of red alone": (x, quality) => {
      const [, g, b] = tf.split(x, 3, 3)
      return tf.concat([tf.slice(jpeg(x, quality), [0, 0, 0, 0], g!.shape), g!, b!], 3)
    },
  },
})

export const degradeMutants = mutantSet<typeof degrade>({
  subject: "degradation",
  laws: degradeLaws,
  real: degrade,
  runs: 2,
  mutants: {
    "that does not clip": (x, draws) => tf.add(degrade(x, draws), tf.mul(draws.noise, 0.5)),
    "of one order for all": (x, draws) =>
      degrade(x, {
        ...draws,
        order: tf.add(tf.zerosLike(draws.order), tf.slice(draws.order, [draws.order.shape[0]! - 1, 0], [1, 4])),
      }),
    "with some noise always": (x, draws) => degrade(x, { ...draws, level: tf.add(draws.level, 0.5) }),
    "without noise": (x, draws) => degrade(x, { ...draws, level: tf.zerosLike(draws.level) }),
    "in an order of its own": (x, draws) =>
      degrade(x, { ...draws, order: tf.tile(tf.tensor2d([[0, 1, 2, 3]], [1, 4], "int32"), [x.shape[0]!, 1]) }),
  },
})

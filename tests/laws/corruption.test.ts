import { ShapeMismatch } from "@millrace/core"
import { blur, degrade, gaussianTaps, jpeg, resizeImage } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { blurLaws, degradeLaws, jpegLaws, resizeLaws } from "./corruptionLaws.js"
import { broken, type Law, verify } from "./law.js"

verify("blur", blurLaws(blur))
verify("resizeImage", resizeLaws(resizeImage))
verify("jpeg", jpegLaws(jpeg))
verify("degrade", degradeLaws(degrade))

// A set of laws is worth what it refuses.
const refuses = <T>(
  subject: string,
  laws: (implementation: T) => ReadonlyArray<Law>,
  real: T,
  mutants: ReadonlyArray<[string, T, string]>,
): void => {
  describe(`${subject}, broken`, () => {
    test.each(mutants)(`${subject} %s breaks a law`, (_, implementation, name) => {
      expect(broken(laws(implementation).filter((each) => each.name === name))).toEqual([name])
    })
    test("every law refuses one of them", () => {
      const named = new Set(mutants.map(([, , name]) => name))
      expect(
        laws(real)
          .map(({ name }) => name)
          .filter((name) => !named.has(name)),
      ).toEqual([])
    })
  })
}

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

refuses("a blur", blurLaws, blur, [
  [
    "with zeros around",
    padded((x, half) =>
      tf.pad(x, [
        [0, 0],
        [0, 0],
        [half, half],
        [0, 0],
      ]),
    ),
    "a constant image stays",
  ],
  [
    "with the mirror image without its edge around",
    padded((x, half) =>
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
    "the mean of each channel stays",
  ],
  [
    "of one side",
    (x, rows, columns) => {
      const [b = 0, y = 0, width = 0, c = 0] = x.shape
      const moved = tf.concat(
        [tf.slice(x, [0, 0, 0, 0], [b, y, 1, c]), tf.slice(x, [0, 0, 0, 0], [b, y, width - 1, c])],
        2,
      )
      return blur(tf.div(tf.add(x, moved), 2), rows, columns)
    },
    "the mirror image is blurred to the mirror image",
  ],
  ["that takes rows for columns", (x, rows, _) => blur(x, rows, rows), "a turned image is blurred by turned weights"],
  [
    "of what it likes",
    (x, rows, columns) => tf.where(tf.greater(x, 0.1), blur(x, rows, columns), x),
    "the sum of two images is blurred to the sum",
  ],
  [
    "that sharpens",
    (x, rows, columns) => tf.sub(tf.mul(2, x), blur(x, rows, columns)),
    "nothing gets brighter or darker than the image was",
  ],
  ["of nothing", (x) => x, "it takes some of an edge away"],
])

const atCorners: typeof resizeImage = (x, to) => tf.image.resizeBilinear(x as tf.Tensor4D, [to[0], to[1]], false, false)

refuses("a resizing", resizeLaws, resizeImage, [
  ["that dims", (x, to, kind) => tf.mul(0.9, resizeImage(x, to, kind)), "a constant image stays"],
  [
    "that blurs",
    (x, to, kind) => {
      const taps = tf.tensor2d([...gaussianTaps(3, 0.6)], [1, 3])
      return resizeImage(blur(x, taps, taps), to, kind)
    },
    "to the same sides nothing changes",
  ],
  ["from the corners of pixels", atCorners, "the mirror image is resized to the mirror image"],
  [
    "to the nearest pixel",
    (x, to) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [to[0], to[1]], false, true),
    "a slope stays a slope when bilinear, away from its ends",
  ],
  ["that passes pixels over", atCorners, "halving and bilinear is the mean of each four"],
])

refuses("a JPEG", jpegLaws, jpeg, [
  [
    "with noise",
    (x, quality) => tf.add(jpeg(x, quality), tf.mul(0.01, tf.sin(tf.mul(1e4, x)))),
    "what was compressed is compressed again without loss",
  ],
  [
    "of the worst quality",
    (x, quality) => jpeg(x, tf.onesLike(quality)),
    "at quality 100 no pixel moves by more than its steps do",
  ],
  ["that loses nothing", (x) => x, "at a low quality a faint pattern is lost"],
  [
    "of all blocks at once",
    (x, quality) => tf.add(jpeg(x, quality), tf.mul(0.1, tf.mean(x))),
    "a block depends on no other block",
  ],
  [
    "of red alone",
    (x, quality) => {
      const [, g, b] = tf.split(x, 3, 3)
      return tf.concat([tf.slice(jpeg(x, quality), [0, 0, 0, 0], g!.shape), g!, b!], 3)
    },
    "a grey image stays grey",
  ],
])

refuses("a degradation", degradeLaws, degrade, [
  ["that does not clip", (x, draws) => tf.add(degrade(x, draws), tf.mul(draws.noise, 0.5)), "it stays in range"],
  [
    "of one order for all",
    (x, draws) =>
      degrade(x, {
        ...draws,
        order: tf.add(tf.zerosLike(draws.order), tf.slice(draws.order, [draws.order.shape[0]! - 1, 0], [1, 4])),
      }),
    "an image depends on its own draws alone",
  ],
  [
    "with some noise always",
    (x, draws) => degrade(x, { ...draws, level: tf.add(draws.level, 0.5) }),
    "at no strength it is JPEG of quality 100 at most",
  ],
  ["without noise", (x, draws) => degrade(x, { ...draws, level: tf.zerosLike(draws.level) }), "each of the four acts"],
  [
    "in an order of its own",
    (x, draws) =>
      degrade(x, { ...draws, order: tf.tile(tf.tensor2d([[0, 1, 2, 3]], [1, 4], "int32"), [x.shape[0]!, 1]) }),
    "its operations run in the order that was drawn",
  ],
])

test("the weights of a blur are those of its density and sum to 1", () => {
  const [side, middle, other] = gaussianTaps(3, 0.6)
  expect(side).toBe(other)
  expect(middle! + 2 * side!).toBeCloseTo(1, 12)
  expect(side! / middle!).toBeCloseTo(Math.exp(-1 / 0.72), 12)
})

test("JPEG refuses an image that is not of whole blocks, and the error says so", () => {
  expect(() => jpeg(tf.zeros([1, 8, 12, 3]), tf.ones([1]))).toThrow(ShapeMismatch)
  expect(() => jpeg(tf.zeros([1, 8, 8, 1]), tf.ones([1]))).toThrow("3 channels")
})

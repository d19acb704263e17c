import { captureSync, groupNorm, spec, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"

type F = tf.Tensor4D

const inside = (body: (x: F, w: F) => tf.Tensor) =>
  captureSync({
    name: "clip",
    state: {},
    inputs: { x: spec("float32", [1, 4, 5, 6]), w: spec("float32", [3, 2, 6, 2]) },
    body: (_, { x, w }) => ({ outputs: { y: withPath("stem", () => body(x as F, w as F)) } }),
  })

const refused: Readonly<Record<string, readonly [(x: F, w: F) => tf.Tensor, RegExp]>> = {
  "a window larger than the image": [
    (x) => tf.maxPool(x, 6, 1, "valid"),
    /clip > stem[\s\S]*a window of \[6,6\] does not fit into an image of \[4,5\]/,
  ],
  "a number as the padding of a window that is not square": [
    (x, w) => tf.conv2d(x, w, 1, 1),
    /clip > stem[\s\S]*needs its padding as pairs/,
  ],
  "groups that do not divide the channels": [
    (x) => groupNorm(x, tf.ones([6]), tf.ones([6]), 4),
    /clip > stem[\s\S]*4 groups do not divide 6 channels/,
  ],
  "a kernel that programs do not support, by its name": [
    (x) => tf.localResponseNormalization(x),
    /UnsupportedOp in clip > stem[\s\S]*LRN/,
  ],
  "padding for other axes than the tensor has": [
    (x) => tf.engine().runKernel("PadV2", { x }, { paddings: [[1, 1]], constantValue: 0 }),
    /clip > stem[\s\S]*1 pairs for the axes of \[1,4,5,6\]/,
  ],
}

for (const [what, [body, message]] of Object.entries(refused)) {
  test(`capture refuses ${what} and says where`, () => {
    expect(() => inside(body)).toThrow(message)
  })
}

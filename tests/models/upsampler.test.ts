import "@tensorflow/tfjs-backend-cpu"
import { resizeImage, type UnetParams, type UpsamplerConfig, upsamplerParams, upsamplerPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { beforeAll, describe, expect, test } from "vitest"
import { expectClose, values } from "../laws/close.js"
import { wave } from "./reference/gpt.js"
import { tensorsOf, testParams } from "./reference/params.js"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const configOf = (resize: "bilinear" | "bicubic"): UpsamplerConfig => ({
  unet: {
    size: 8,
    width: 4,
    multipliers: [1, 2],
    blocks: 1,
    attention: [],
    middleAttention: false,
    headWidth: 4,
    groups: 2,
    input: 6,
    output: 6,
  },
  resize,
})

const picture = (shape: [number, number, number, number], seed: number): tf.Tensor =>
  tf.tensor4d(
    Float32Array.from(
      wave(
        shape.reduce((n, d) => n * d, 1),
        seed,
        1,
      ),
    ),
    shape,
  )

describe.each(["bilinear", "bicubic"] as const)("an upsampler whose small image is resized %s", (resize) => {
  const config = configOf(resize)
  const predict = (image: tf.Tensor, small: tf.Tensor): tf.Tensor => {
    const specs = upsamplerParams(config)
    const p = tensorsOf(specs, testParams(specs)) as UnetParams
    return upsamplerPredict(config, p, image, small, tf.tensor1d([3, 700], "int32"))
  }
  const small = () => picture([2, 4, 2, 3], 1)

  test("says the same of a small image that was enlarged before", () => {
    const image = picture([2, 8, 4, 3], 2)
    expectClose(predict(image, resizeImage(small(), [8, 4], resize)), predict(image, small()))
  })

  test("looks at the small image", () => {
    const image = picture([2, 8, 4, 3], 2)
    const [one, other] = [values(predict(image, small())), values(predict(image, picture([2, 4, 2, 3], 5)))]
    expect(one).not.toEqual(other)
  })

  test("takes whole images of any sides when it was trained on quarters", () => {
    expect(predict(picture([2, 16, 24, 3], 3), small()).shape).toEqual([2, 16, 24, 6])
  })
})

test("the two ways of resizing differ", () => {
  const small = picture([1, 4, 4, 3], 1)
  const gap = tf.max(tf.abs(tf.sub(resizeImage(small, [8, 8], "bilinear"), resizeImage(small, [8, 8], "bicubic"))))
  expect(gap.dataSync()[0]).toBeGreaterThan(0.01)
})

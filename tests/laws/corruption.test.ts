import { ShapeMismatch } from "@millrace/core"
import { blur, degrade, gaussianTaps, jpeg, resizeImage } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { blurLaws, degradeLaws, jpegLaws, resizeLaws } from "./corruptionLaws.js"
import { verify } from "./law.js"

verify("blur", blurLaws(blur))
verify("resizeImage", resizeLaws(resizeImage))
verify("jpeg", jpegLaws(jpeg))
verify("degrade", degradeLaws(degrade))

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

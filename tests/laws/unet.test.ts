import { ShapeMismatch } from "@millrace/core"
import { unet, unetParams, unetPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { verify } from "./law.js"
import { real } from "./mutants/unet.js"
import { unetLaws } from "./unetLaws.js"

verify("unet", unetLaws(real))

const config = { size: 8, width: 4, multipliers: [1, 2], blocks: 1, attention: [4], headWidth: 2, groups: 2 }

test("an image that the levels cannot halve is refused, and the error says by how much they do", () => {
  const specs = unetParams(config)
  const odd = tf.zeros([1, 5, 8, 3])
  const p = tensorsOf(specs, testParams(specs)) as Parameters<typeof unetPredict>[1]
  expect(() => unetPredict(config, p, odd, tf.tensor1d([1], "int32"))).toThrow(ShapeMismatch)
  expect(() => unetPredict(config, p, odd, tf.tensor1d([1], "int32"))).toThrow("multiples of 2")
})

test.each([
  ["channels that its groups do not divide", { groups: 3 }, /4 channels of level 0 must be a multiple of groups 3/],
  ["heads wider than the channels", { headWidth: 3 }, /8 channels of level 1 must be a multiple of headWidth 3/],
  ["attention at a side of no level", { attention: [3] }, /attention at 3: no level has that side/],
  ["other channels out than in", { output: 6 }, /output 6 must be input/],
])("a node of %s is refused", (_, wrong, message) => {
  expect(() => unet.noise({ ...config, ...wrong })).toThrow(message)
})

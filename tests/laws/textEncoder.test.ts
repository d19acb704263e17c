import { BadLength } from "@millrace/core"
import { encodeText, type TextEncoderParams, textEncoder, textEncoderParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { verify } from "./law.js"
import { textEncoderLaws } from "./textEncoderLaws.js"

verify("textEncoder", textEncoderLaws(encodeText))

test("a caption that is not padded to the context is refused, and the error says to pad it", () => {
  const config = { vocab: 5, context: 4, width: 4, layers: 1, heads: 2 }
  const specs = textEncoderParams(config)
  const p = tensorsOf(specs, testParams(specs)) as TextEncoderParams
  const encode = () => encodeText(config, p, tf.zeros([1, 3], "int32"), tf.ones([1, 3]))
  expect(encode).toThrow(BadLength)
  expect(encode).toThrow("pad the caption")
})

test("the node's pooled feature is its last position", () => {
  const config = { vocab: 5, context: 3, width: 4, layers: 1, heads: 2 }
  const node = textEncoder.encode(config)
  const { sequence, pooled } = node.apply(tensorsOf(node.params, testParams(node.params)), {
    tokens: tf.tensor2d([[1, 2, 3]], [1, 3], "int32"),
    mask: tf.tensor2d([[1, 1, 0]]),
  })
  expect([...pooled.dataSync()]).toEqual([...sequence.dataSync()].slice(8))
})

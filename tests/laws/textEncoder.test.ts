import { BadLength } from "@millrace/core"
import { encodeText, type TextEncoderParams, textEncoder, textEncoderParams } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { tensorsOf, testParams } from "../models/reference/params.js"
import { broken, verify } from "./law.js"
import { textEncoderLaws } from "./textEncoderLaws.js"

verify("textEncoder", textEncoderLaws(encodeText))

// A set of laws is worth what it refuses.
const mutants: ReadonlyArray<[string, typeof encodeText, string]> = [
  [
    "that sees no later token",
    (config, p, tokens, mask) => {
      // Each position as the last of a caption whose rest is padding.
      const columns = Array.from({ length: config.context }, (_, t) => {
        const [b = 0] = tokens.shape
        const earlier = tf.cast(tf.lessEqual(tf.range(0, config.context, 1, "int32"), tf.scalar(t, "int32")), "float32")
        const seen = encodeText(config, p, tokens, tf.mul(tf.cast(mask, "float32"), earlier))
        return tf.slice(seen, [0, t, 0], [b, 1, config.width])
      })
      return tf.concat(columns, 1)
    },
    "the first token depends on the last, and the last on the first",
  ],
  [
    "that adds numbers to its positions",
    (config, p, tokens, mask) =>
      encodeText(
        config,
        {
          ...p,
          position: tf.add(p.position, tf.reshape(tf.range(0, config.context), [-1, 1]).mul(tf.range(0, config.width))),
        },
        tokens,
        mask,
      ),
    "without positions, tokens in another order are the same in that order",
  ],
  [
    "that leaves positions out",
    (config, p, tokens, mask) => encodeText(config, { ...p, position: tf.zerosLike(p.position) }, tokens, mask),
    "with positions, the order of tokens matters",
  ],
  [
    "that reads ids under padding",
    (config, p, tokens, mask) =>
      tf.add(encodeText(config, p, tokens, mask), tf.mul(1e-3, tf.cast(tf.expandDims(tokens, 2), "float32"))),
    "an id under padding changes nothing",
  ],
  [
    "that adds positions to paddings",
    (config, p, tokens, mask) => encodeText(config, { ...p, padding: tf.add(p.padding, p.position) }, tokens, mask),
    "each place has a padding of its own, without its position",
  ],
  [
    "that reads all captions at once",
    (config, p, tokens, mask) => {
      const x = encodeText(config, p, tokens, mask)
      return tf.add(x, tf.mul(0.1, tf.sum(x, 0, true)))
    },
    "a caption depends on no other caption",
  ],
]

test.each(mutants)("a text encoder %s breaks a law", (_, encode, name) => {
  expect(broken(textEncoderLaws(encode).filter((each) => each.name === name))).toEqual([name])
})

test("every law refuses one of them", () => {
  const named = new Set(mutants.map(([, , name]) => name))
  expect(
    textEncoderLaws(encodeText)
      .map(({ name }) => name)
      .filter((name) => !named.has(name)),
  ).toEqual([])
})

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

import {
  type DecoderConfig,
  decoderConditions,
  decoderText,
  type TextEncoderConfig,
  unetPredict,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { type Decoder, type DecoderInputs, decoderLaws } from "./decoderLaws.js"
import { broken, verify } from "./law.js"

const encoderOf = ({ text }: DecoderConfig): TextEncoderConfig => {
  if (text.kind !== "encoder") throw new Error("the laws are of decoders with a text encoder")
  return text.encoder
}

const real: Decoder = (config, p, { image, time, tokens, mask, keepCaption, embedding, keepEmbedding }) => {
  const text = decoderText(encoderOf(config), p.text.encoder!, { tokens, mask, keep: keepCaption })
  const told = decoderConditions(config, p, text, { embedding, keep: keepEmbedding })
  return unetPredict(config.unet, p.unet, image, time, told)
}

verify("decoder", decoderLaws(real))

/** The real one, given something else. */
const given =
  (change: (inputs: DecoderInputs) => Partial<DecoderInputs>): Decoder =>
  (config, p, inputs) =>
    real(config, p, { ...inputs, ...change(inputs) })

const column = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, 1])

// A set of laws is worth what it refuses.
const mutants: ReadonlyArray<[string, Decoder, string]> = [
  [
    "that never drops a caption",
    given(() => ({ keepCaption: tf.ones([2]) })),
    "nothing depends on a caption that is dropped",
  ],
  [
    "that drops a caption's tokens but not its length",
    given(({ tokens, keepCaption }) => ({
      tokens: tf.mul(tokens, tf.cast(column(keepCaption), "int32")),
      keepCaption: tf.ones([2]),
    })),
    "a caption that is dropped is the empty one",
  ],
  [
    "that multiplies a dropped embedding by 0",
    given(({ embedding, keepEmbedding }) => ({
      embedding: tf.mul(embedding, column(keepEmbedding)),
      keepEmbedding: tf.ones([2]),
    })),
    "nothing depends on an image embedding that is dropped, and not even NaN leaks",
  ],
  [
    "that takes padding for tokens",
    given(({ mask, tokens, keepCaption }) => ({
      mask: tf.onesLike(mask),
      tokens: tf.minimum(tokens, tf.scalar(4, "int32")),
      keepCaption,
    })),
    "an id under padding, even of no token, changes nothing",
  ],
  [
    "that drops all images or none",
    given(({ keepCaption, keepEmbedding }) => ({
      keepCaption: tf.fill([2], keepCaption.min().dataSync()[0]!),
      keepEmbedding: tf.fill([2], keepEmbedding.min().dataSync()[0]!),
    })),
    "each image is dropped by itself",
  ],
  ["that reads no caption", given(() => ({ keepCaption: tf.zeros([2]) })), "a caption that is kept acts"],
  ["that sees no embedding", given(() => ({ keepEmbedding: tf.zeros([2]) })), "an image embedding that is kept acts"],
]

test.each(mutants)("a decoder %s breaks a law", (_, decoder, name) => {
  expect(broken(decoderLaws(decoder).filter((each) => each.name === name))).toEqual([name])
})

test("every law refuses one of them", () => {
  const named = new Set(mutants.map(([, , name]) => name))
  expect(
    decoderLaws(real)
      .map(({ name }) => name)
      .filter((name) => !named.has(name)),
  ).toEqual([])
})

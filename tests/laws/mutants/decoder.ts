import {
  type DecoderConfig,
  decoderConditions,
  decoderText,
  type TextEncoderConfig,
  unetPredict,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type Decoder, type DecoderInputs, decoderLaws } from "../decoderLaws.js"
import { mutantSet } from "./mutantSet.js"

const encoderOf = ({ text }: DecoderConfig): TextEncoderConfig => {
  if (text.kind !== "encoder") throw new Error("the laws are of decoders with a text encoder")
  return text.encoder
}

export const real: Decoder = (config, p, { image, time, tokens, mask, keepCaption, embedding, keepEmbedding }) => {
  const text = decoderText(encoderOf(config), p.text.encoder!, { tokens, mask, keep: keepCaption })
  const told = decoderConditions(config, p, text, { embedding, keep: keepEmbedding })
  return unetPredict(config.unet, p.unet, image, time, told)
}

/** The real one, given something else. */
const given =
  (change: (inputs: DecoderInputs) => Partial<DecoderInputs>): Decoder =>
  (config, p, inputs) =>
    real(config, p, { ...inputs, ...change(inputs) })

const column = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, 1])

export const decoderMutants = mutantSet<Decoder>({
  subject: "decoder",
  laws: decoderLaws,
  real: real,
  runs: 3,
  mutants: {
    "that never drops a caption": given(() => ({ keepCaption: tf.ones([2]) })),
    "that drops a caption's tokens but not its length": given(({ tokens, keepCaption }) => ({
      tokens: tf.mul(tokens, tf.cast(column(keepCaption), "int32")),
      keepCaption: tf.ones([2]),
    })),
    "that multiplies a dropped embedding by 0": given(({ embedding, keepEmbedding }) => ({
      embedding: tf.mul(embedding, column(keepEmbedding)),
      keepEmbedding: tf.ones([2]),
    })),
    "that takes padding for tokens": given(({ mask, tokens, keepCaption }) => ({
      mask: tf.onesLike(mask),
      tokens: tf.minimum(tokens, tf.scalar(4, "int32")),
      keepCaption,
    })),
    "that drops all images or none": given(({ keepCaption, keepEmbedding }) => ({
      keepCaption: tf.fill([2], keepCaption.min().dataSync()[0]!),
      keepEmbedding: tf.fill([2], keepEmbedding.min().dataSync()[0]!),
    })),
    "that reads no caption": given(() => ({ keepCaption: tf.zeros([2]) })),
    "that sees no embedding": given(() => ({ keepEmbedding: tf.zeros([2]) })),
  },
})

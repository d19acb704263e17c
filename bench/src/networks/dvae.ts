/** The discrete VAE of DALL·E: the model and the loss of the framework itself, at one temperature and one weight. */
import { type Key, random, split, withPath } from "@millrace/core"
import {
  type DvaeConfig,
  dvaeDecode,
  dvaeDecoderParams,
  dvaeEncode,
  dvaeEncoderParams,
  dvaeLoss,
  gumbelSoftmax,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type Network, objectiveFrom, specsOfBatch } from "./network.js"

export interface DvaeStep extends Omit<DvaeConfig, "rows" | "columns"> {
  /** Pixels of an image's side. */
  readonly size: number
  /** Of the relaxation; 1 at the start of training, 1/16 in the end. */
  readonly temperature: number
  /** Weight of the KL term, 6.6 after its warm-up. */
  readonly kl: number
  readonly batch: number
}

export const dvaeNetwork = ({ batch, size, temperature, kl, ...shape }: DvaeStep, key: Key): Network => {
  const side = size / 2 ** (shape.groups - 1)
  const model: DvaeConfig = { ...shape, rows: side, columns: side }
  const values = {
    image: random.uniform(split(key, "image"), [batch, size, size, 3]),
    gumbel: random.gumbel(split(key, "gumbel"), [batch, side, side, shape.vocab]),
  }
  const params = { encoder: dvaeEncoderParams(model), decoder: dvaeDecoderParams(model) }
  const loss = objectiveFrom("dvae", params, (p, inputs) => {
    const image = inputs.image!
    const logits = withPath("encoder", () => dvaeEncode(model, p.encoder, image))
    const noise = tf.reshape(inputs.gumbel!, [batch, side * side, shape.vocab])
    const stats = withPath("decoder", () => dvaeDecode(model, p.decoder, gumbelSoftmax(logits, noise, temperature)))
    return dvaeLoss({ image, ...stats, logits }, kl).loss
  })
  return { objective: loss, inputs: specsOfBatch(values), batch: values }
}

import { dvaeDecode, dvaeDecodeCodes, dvaeEncode } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type Coder, dvaeCoderLaws } from "../dvaeCoderLaws.js"
import { mutantSet } from "./mutantSet.js"

export const coder: Coder = { encode: dvaeEncode, decode: dvaeDecode, decodeCodes: dvaeDecodeCodes }

/** Places s of a grid counted column by column. */
const turned = (x: tf.Tensor, rows: number, columns: number): tf.Tensor => {
  const [b = 0, s = 0, ...rest] = x.shape
  const axes = [0, 2, 1, ...rest.map((_, i) => i + 3)]
  return tf.reshape(tf.transpose(tf.reshape(x, [b, rows, columns, ...rest]), axes), [b, s, ...rest])
}

export const dvaeCoderMutants = mutantSet<Coder>({
  subject: "dVAE",
  laws: dvaeCoderLaws,
  real: coder,
  runs: 3,
  mutants: {
    "that knows where a pixel stands": {
      ...coder,
      encode: (config, p, image) => {
        const [, , x = 0] = image.shape
        const ramp = tf.reshape(tf.div(tf.range(0, x), x), [1, 1, x, 1])
        return dvaeEncode(config, p, tf.mul(image, ramp))
      },
    },
    "whose pixels get darker to the right": {
      ...coder,
      decodeCodes: (config, p, codes) => {
        const stats = dvaeDecodeCodes(config, p, codes)
        return { ...stats, mean: tf.sub(stats.mean, tf.reshape(tf.range(0, stats.mean.shape[2]!), [1, 1, -1, 1])) }
      },
    },
    "that looks codes up without the first layer's bias": {
      ...coder,
      decodeCodes: (config, p, codes) =>
        dvaeDecodeCodes(config, { ...p, input: { ...p.input, bias: tf.zerosLike(p.input.bias) } }, codes),
    },
    "that counts places column by column": {
      encode: (config, p, image) => turned(dvaeEncode(config, p, image), config.rows, config.columns),
      decode: (config, p, relaxed) => dvaeDecode(config, p, turned(relaxed, config.columns, config.rows)),
      decodeCodes: (config, p, codes) => dvaeDecodeCodes(config, p, turned(codes, config.columns, config.rows)),
    },
    "that takes the batch's mean brightness away": {
      ...coder,
      encode: (config, p, image) => dvaeEncode(config, p, tf.sub(image, tf.mean(image))),
    },
  },
})

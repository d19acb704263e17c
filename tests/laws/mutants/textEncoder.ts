import { encodeText } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { textEncoderLaws } from "../textEncoderLaws.js"
import { mutantSet } from "./mutantSet.js"

export const textEncoderMutants = mutantSet<typeof encodeText>({
  subject: "text encoder",
  laws: textEncoderLaws,
  real: encodeText,
  runs: 8,
  mutants: {
    "that sees no later token": (config, p, tokens, mask) => {
      // Each position as the last of a caption whose rest is padding.
      const columns = Array.from({ length: config.context }, (_, t) => {
        const [b = 0] = tokens.shape
        const earlier = tf.cast(tf.lessEqual(tf.range(0, config.context, 1, "int32"), tf.scalar(t, "int32")), "float32")
        const seen = encodeText(config, p, tokens, tf.mul(tf.cast(mask, "float32"), earlier))
        return tf.slice(seen, [0, t, 0], [b, 1, config.width])
      })
      return tf.concat(columns, 1)
    },
    "that adds numbers to its positions": (config, p, tokens, mask) =>
      encodeText(
        config,
        {
          ...p,
          position: tf.add(p.position, tf.reshape(tf.range(0, config.context), [-1, 1]).mul(tf.range(0, config.width))),
        },
        tokens,
        mask,
      ),
    "that leaves positions out": (config, p, tokens, mask) =>
      encodeText(config, { ...p, position: tf.zerosLike(p.position) }, tokens, mask),
    "that reads ids under padding": (config, p, tokens, mask) =>
      tf.add(encodeText(config, p, tokens, mask), tf.mul(1e-3, tf.cast(tf.expandDims(tokens, 2), "float32"))),
    "that adds positions to paddings": (config, p, tokens, mask) =>
      encodeText(config, { ...p, padding: tf.add(p.padding, p.position) }, tokens, mask),
    "that reads all captions at once": (config, p, tokens, mask) => {
      const x = encodeText(config, p, tokens, mask)
      return tf.add(x, tf.mul(0.1, tf.sum(x, 0, true)))
    },
  },
})

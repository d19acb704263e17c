import { unetParams, unetPredict } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type UnetUnit, unetLaws } from "../unetLaws.js"
import { mutantSet } from "./mutantSet.js"

export const real: UnetUnit = { params: unetParams, predict: unetPredict }

export const unetMutants = mutantSet<UnetUnit>({
  subject: "U-Net",
  laws: unetLaws,
  real: real,
  runs: 4,
  mutants: {
    "whose last convolution begins as noise": {
      ...real,
      params: (config) => {
        const specs = unetParams(config)
        return {
          ...specs,
          output: { ...specs.output, weight: { ...specs.output.weight, init: specs.input.weight.init } },
        }
      },
    },
    "that forgets one block on the way down": {
      ...real,
      params: (config) => {
        const specs = unetParams(config)
        return { ...specs, down: specs.down.slice(1) }
      },
    },
    "that looks at all images at once": {
      ...real,
      predict: (config, p, image, ...rest) =>
        unetPredict(config, p, tf.add(image, tf.mul(0.1, tf.mean(image, 0, true))), ...rest),
    },
    "that leaves its time out": {
      ...real,
      predict: (config, p, image, time, told) => unetPredict(config, p, image, tf.zerosLike(time), told),
    },
    "that leaves its way down out": {
      ...real,
      predict: (config, p, image, time, told) =>
        tf.add(
          tf.mul(0, unetPredict(config, p, image, time, told)),
          tf.mul(
            tf.sum(p.output.weight),
            tf.add(tf.cast(tf.reshape(time, [-1, 1, 1, 1]), "float32"), tf.sum(p.time2.bias)),
          ),
        ),
    },
    "that numbers the tokens of its context": {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, {
          ...told,
          ...(told?.context === undefined
            ? {}
            : {
                context: {
                  ...told.context,
                  tokens: tf.add(
                    told.context.tokens,
                    tf.reshape(tf.range(0, told.context.tokens.shape[1] ?? 0), [1, -1, 1]),
                  ),
                },
              }),
        }),
    },
    "that sees all tokens": {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, {
          ...told,
          ...(told?.context === undefined ? {} : { context: { tokens: told.context.tokens } }),
        }),
    },
    "that is told nothing but its time": {
      ...real,
      predict: (config, p, image, time, told) =>
        unetPredict(config, p, image, time, told?.context === undefined ? {} : { context: told.context }),
    },
  },
})

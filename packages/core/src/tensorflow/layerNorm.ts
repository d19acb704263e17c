/** Layer normalisation that keeps what is normalised. */
import * as tf from "@tensorflow/tfjs-core"
import { numberOf } from "../program/shapes.js"
import type { Row } from "./row.js"

export const layerNormRow: Row = {
  name: "LayerNorm",
  raw: ["BiasAdd", "BiasAddGrad"],
  differentiable: (raw) => ({
    forward: ([x, gain, bias], attrs) => {
      const centred = tf.sub(x!, tf.mean(x!, -1, true))
      const invStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), numberOf(attrs, "epsilon")))
      const unit = tf.mul(centred, invStd)
      const [value] = raw("BiasAdd", [tf.mul(unit, gain!), bias!])
      return { value: value!, saved: [unit, invStd, gain!] }
    },
    // With u the normalised input and g = dy · gain:  dx = invStd · (g − mean(g) − u · mean(g · u)).
    backward: (dy, [unit, invStd, gain]) => {
      const width = gain!.size
      const weights = tf.div(tf.reshape(gain!, [width, 1]), width)
      const along = tf.mul(dy, unit!)
      const [meanG, meanGu] = [tf.matMul(dy, weights), tf.matMul(along, weights)]
      const dx = tf.mul(tf.sub(tf.sub(tf.mul(dy, gain!), meanG), tf.mul(unit!, meanGu)), invStd!)
      return [dx, raw("BiasAddGrad", [along])[0]!, raw("BiasAddGrad", [dy])[0]!]
    },
  }),
}

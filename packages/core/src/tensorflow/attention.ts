/** Scaled dot-product attention, with the scale taken at the queries. */
import * as tf from "@tensorflow/tfjs-core"
import type { Row } from "./row.js"

/** The scores have a number for every pair of positions, the queries one for every place of a head: fewer to multiply. */
export const attentionRow: Row = {
  name: "Attention",
  raw: ["Softmax"],
  differentiable: (raw) => ({
    forward: ([q, k, v, bias]) => {
      const scale = 1 / Math.sqrt(q!.shape.at(-1) ?? 1)
      const scaled = tf.mul(q!, scale) // b h t e
      const products = tf.matMul(scaled, k!, false, true) // b h t s
      const [p] = raw("Softmax", [bias === undefined ? products : tf.add(products, bias)]) // b h t s
      const o = tf.matMul(p!, v!) // b h t e
      return { value: o, saved: [scaled, k!, v!, p!, o] }
    },
    // As in the plain form: the gradient of the scores is P ∘ (dP − D), with D = Σ O ∘ dO.
    backward: (dy, [scaled, k, v, p, o]) => {
      const along = tf.sum(tf.mul(dy, o!), -1, true) // b h t 1
      const ds = tf.mul(p!, tf.sub(tf.matMul(dy, v!, false, true), along)) // b h t s
      const scale = 1 / Math.sqrt(scaled!.shape.at(-1) ?? 1)
      return [tf.mul(tf.matMul(ds, k!), scale), tf.matMul(ds, scaled!, true, false), tf.matMul(p!, dy, true, false)]
    },
  }),
}

/** A loss of one's own under the laws: two imports and a line. This one is Bradley and Terry's, pair by pair. */
import { checkLaws } from "@millrace/core/laws"

import { rankingLaws } from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { test } from "vitest"
import "./replay.js"

const mine = (rewards: tf.Tensor, preference: tf.Tensor): tf.Scalar => {
  const [b, k] = rewards.shape as [number, number]
  const column = (x: tf.Tensor, i: number) => tf.slice(x, [0, i], [b, 1])
  const perPrompt: Array<tf.Tensor> = []
  const pairs: Array<tf.Tensor> = []
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) {
      const sign = tf.sign(tf.sub(column(preference, i), column(preference, j)))
      const gap = tf.mul(sign, tf.sub(column(rewards, i), column(rewards, j)))
      perPrompt.push(tf.mul(tf.abs(sign), tf.softplus(tf.neg(gap))))
      pairs.push(tf.abs(sign))
    }
  }
  return tf.mean(tf.div(tf.addN(perPrompt), tf.maximum(tf.addN(pairs), 1)))
}

test("a loss of one's own obeys the laws of ranking", () => checkLaws("mine", rankingLaws(mine)))

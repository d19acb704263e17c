import * as tf from "@tensorflow/tfjs-core"

export const layerNorm = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, eps: number): tf.Tensor => {
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const variance = tf.mean(tf.mul(centred, centred), -1, true)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, eps))), gain), bias)
}
export const gelu = (x: tf.Tensor): tf.Tensor => {
  const cubic = tf.mul(x, tf.add(1, tf.mul(0.044715, tf.mul(x, x))))
  return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic))))
}
export const embed = (table: tf.Tensor, ids: tf.Tensor): tf.Tensor => tf.gather(table, ids as tf.Tensor1D)
export const softmax = (x: tf.Tensor): tf.Tensor => tf.softmax(x)
export const linear = (x: tf.Tensor, w: tf.Tensor, b?: tf.Tensor): tf.Tensor => {
  const flat = tf.matMul(tf.reshape(x, [-1, w.shape[0] ?? 0]), w)
  return tf.reshape(b === undefined ? flat : tf.add(flat, b), [...x.shape.slice(0, -1), w.shape[1] ?? 0])
}
export const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor => {
  const v = logits.shape[logits.rank - 1] ?? 0
  const hot = tf.oneHot(tf.reshape(labels, [-1]), v)
  const log = tf.logSoftmax(tf.reshape(logits, [-1, v]))
  return tf.reshape(tf.neg(tf.sum(tf.where(tf.cast(hot, "bool"), log, tf.zerosLike(log)), -1)), labels.shape)
}
export const withPath = <T>(_name: string, fn: () => T): T => fn()

/** Learning-rate schedules: data in the graph, tensors in the program. */
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"

/**
 * A learning rate over the steps of a stage. `warmup` steps rise linearly from peak / warmup to the peak.
 * `cosine` then falls to `floor` · peak at the last step (InstructGPT, appendix C: floor 0.1, no warm-up for SFT and RM);
 * `linear` falls along a straight line; `constant` stays.
 */
export const Schedule = Schema.Struct({
  kind: Schema.Literals(["constant", "cosine", "linear"]),
  peak: Schema.Number.check(Schema.isGreaterThanOrEqualTo(0)),
  warmup: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  /** The last learning rate as a fraction of the peak. */
  floor: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
})
export type Schedule = typeof Schedule.Type

/**
 * The learning rate of a step.
 * @param step   steps done before this one   float32  scalar
 * @param steps  steps of the whole stage
 */
export const learningRate = (schedule: Schedule, step: tf.Scalar, steps: number): tf.Scalar => {
  const { kind, peak, warmup, floor } = schedule
  const rise = warmup > 0 ? tf.minimum(tf.div(tf.add(step, 1), warmup), 1) : tf.scalar(1)
  if (kind === "constant") return tf.mul(rise, peak)
  const span = Math.max(1, steps - 1 - warmup)
  const progress = tf.clipByValue(tf.div(tf.sub(step, warmup), span), 0, 1)
  const fall = kind === "linear" ? tf.sub(1, progress) : tf.mul(tf.add(tf.cos(tf.mul(progress, Math.PI)), 1), 0.5)
  return tf.mul(tf.mul(rise, tf.add(tf.mul(fall, 1 - floor), floor)), peak)
}

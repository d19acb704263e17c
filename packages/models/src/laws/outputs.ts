/** What a subject without parameters gives, as the laws of losses want it. */
import type { TensorSubject } from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"

export type Inputs = Readonly<Record<string, tf.Tensor>>

/** Its one output. */
export const one = (subject: TensorSubject, inputs: Inputs): tf.Tensor => subject.apply(inputs, {}) as tf.Tensor

/** Its one output, a loss. */
export const scalar = (subject: TensorSubject, inputs: Inputs): tf.Scalar => one(subject, inputs) as tf.Scalar

/** Its outputs by name. */
export const several = (subject: TensorSubject, inputs: Inputs): Inputs => subject.apply(inputs, {}) as Inputs

/** A mask as ports have it. */
export const asFloat = (mask: tf.Tensor): tf.Tensor => tf.cast(mask, "float32")

/** A mask that hides nothing, of the first axes of a tensor. */
export const all = (x: tf.Tensor, rank = x.rank): tf.Tensor => tf.ones(x.shape.slice(0, rank))

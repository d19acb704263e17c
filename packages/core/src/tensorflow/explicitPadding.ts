/** Convolutions and their gradients with paddings that are numbers: of the padded image, without padding. */
import * as tf from "@tensorflow/tfjs-core"
import { type Attrs, numberOf, numbersOf, pairsOf } from "../program/shapes.js"

type Pairs = Array<[number, number]>

/** What is put around an image [b, y, x, c], or null where the padding has a name. */
export const explicitPadding = (attrs: Attrs): Pairs | null => {
  const { pad } = attrs
  if (typeof pad === "string" || pad === 0) return null
  if (attrs.dataFormat === "NCHW") throw new Error("images with channels first have paddings with a name here")
  if (Array.isArray(pad)) return pairsOf(attrs, "pad").map(([before, after]) => [before, after])
  const around = numberOf(attrs, "pad")
  return [0, around, around, 0].map((size) => [size, size])
}

/** A convolution, or the gradient of a filter or of an image. */
export const withoutPadding =
  (plain: tf.KernelFunc): tf.KernelFunc =>
  (given) => {
    const attrs = (given.attrs ?? {}) as Attrs
    const pads = explicitPadding(attrs)
    if (pads === null) return plain(given)
    const { x } = given.inputs
    if (x !== undefined) {
      const padded = tf.pad(x as tf.Tensor, pads)
      const made = plain({ ...given, inputs: { ...given.inputs, x: padded }, attrs: { ...given.attrs, pad: "valid" } })
      padded.dispose()
      return made
    }
    const shape = numbersOf(attrs, "inputShape")
    const whole = shape.map((size, axis) => size + pads[axis]![0] + pads[axis]![1])
    const made = plain({ ...given, attrs: { ...given.attrs, pad: "valid", inputShape: whole } }) as tf.Tensor
    const inner = tf.slice(
      made,
      pads.map(([before]) => before),
      [...shape],
    )
    made.dispose()
    return inner
  }

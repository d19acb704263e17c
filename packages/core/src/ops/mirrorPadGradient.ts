/** The gradient of mirrorPad: each mirrored part adds to what it mirrors. tfjs's own leaves these parts out. */
import * as tf from "@tensorflow/tfjs-core"
import { pairsOf } from "../program/shapes.js"

/** Undoes the padding of one axis: the middle, plus both ends turned back over it. */
const fold = (dy: tf.Tensor, axis: number, [before, after]: readonly [number, number], edge: number): tf.Tensor => {
  const size = dy.shape[axis]! - before - after
  const part = (from: number, count: number): tf.Tensor =>
    tf.slice(
      dy,
      dy.shape.map((_, i) => (i === axis ? from : 0)),
      dy.shape.map((d, i) => (i === axis ? count : d)),
    )
  const back = (from: number, count: number, to: number): tf.Tensor =>
    tf.pad(
      tf.reverse(part(from, count), axis),
      dy.shape.map((_, i): [number, number] => (i === axis ? [to, size - to - count] : [0, 0])),
    )
  return [
    ...(before > 0 ? [back(0, before, edge)] : []),
    ...(after > 0 ? [back(before + size, after, size - after - edge)] : []),
  ].reduce((sum, more) => tf.add(sum, more), part(before, size))
}

/** Replaces tfjs's gradient. */
export const registerMirrorPadGradient = (): void => {
  tf.unregisterGradient("MirrorPad")
  tf.registerGradient({
    kernelName: "MirrorPad",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => {
      if (Array.isArray(dy) || x === undefined) throw new Error("internal: malformed MirrorPad")
      const pads = pairsOf({ paddings: attrs.paddings as ReadonlyArray<ReadonlyArray<number>> }, "paddings")
      const edge = attrs.mode === "reflect" ? 1 : 0
      return { x: () => pads.reduceRight((sum, pair, axis) => fold(sum, axis, pair, edge), dy) }
    },
  })
}

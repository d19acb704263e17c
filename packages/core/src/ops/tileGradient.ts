/**
 * The gradient of `Tile`, and so of `tf.broadcastTo` and of what broadcasts with it: sums over the repeated axes. tfjs's
 * own adds one slice a repetition, thousands of operations where a mask is broadcast, and knows no more than four axes.
 */
import * as tf from "@tensorflow/tfjs-core"

/** Replaces tfjs's gradient. */
export const registerTileGradient = (): void => {
  tf.unregisterGradient("Tile")
  tf.registerGradient({
    kernelName: "Tile",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], { reps }) => {
      if (Array.isArray(dy) || x === undefined || !Array.isArray(reps)) throw new Error("internal: malformed Tile")
      const parts: Array<number> = []
      const repeated: Array<number> = []
      x.shape.forEach((size, axis) => {
        const times = Number(reps[axis])
        if (times !== 1) repeated.push(parts.push(times) - 1)
        if (times === 1 || size !== 1) parts.push(size)
      })
      return { x: () => tf.reshape(tf.sum(tf.reshape(dy, parts), repeated), x.shape) }
    },
  })
}

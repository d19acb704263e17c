import { ShapeMismatch } from "@millrace/core/definitions"
import type * as tf from "@tensorflow/tfjs-core"

/**
 * Binds the axes of several tensors to sizes: `bindAxes("gae", { rewards: [rewards, "b t"], values: [values, "b t"] })`.
 * @fails ShapeMismatch  a wrong number of axes, or one letter with two sizes; every mismatch in one error
 */
export const bindAxes = (
  where: string,
  tensors: Readonly<Record<string, readonly [tensor: tf.Tensor, axes: string]>>,
): Readonly<Record<string, number>> => {
  const sizes: Record<string, number> = {}
  const wrong: Array<string> = []
  for (const [name, [tensor, axes]] of Object.entries(tensors)) {
    const letters = axes.split(" ").filter((letter) => letter !== "")
    const bad =
      letters.length !== tensor.shape.length ||
      letters.some((letter, i) => {
        const size = tensor.shape[i]!
        sizes[letter] ??= size
        return sizes[letter] !== size
      })
    if (bad) wrong.push(`${name} [${tensor.shape.join(", ")}]`)
  }
  if (wrong.length > 0) {
    const bound = Object.entries(sizes).map(([letter, size]) => `${letter} = ${size}`)
    throw new ShapeMismatch({
      where,
      expected: `${Object.entries(tensors)
        .map(([name, [, axes]]) => `${name} [${axes}]`)
        .join(", ")} with ${bound.join(", ")}`,
      received: wrong.join(", "),
      fix: "give every tensor these axes, in this order",
    })
  }
  return sizes
}

/** What a node is given and what it gives, against its ports. */
import * as tf from "@tensorflow/tfjs-core"
import { ShapeMismatch } from "../errors.js"
import { type Ports, showPort } from "../port.js"
import { lines } from "./lines.js"
import { type Dimension, Sizes } from "./sizes.js"

const show = (value: unknown): string =>
  value instanceof tf.Tensor
    ? `${value.dtype}[${value.shape.join(", ")}]`
    : value === undefined
      ? "nothing"
      : typeof value

/**
 * A check that remembers: an axis keeps, over all calls, the size that it had in the first tensor.
 * The check throws ShapeMismatch with every tensor that is missing, of another dtype, or of a size that does not fit.
 */
export const tensorCheck = (where: string, fixed: Readonly<Record<string, number>>) => {
  const sizes = new Sizes()
  const scope = new Map<string, number>()
  return (ports: Ports, values: unknown): void => {
    const given = (values ?? {}) as Readonly<Record<string, unknown>>
    for (const [name, port] of Object.entries(ports)) {
      const value = given[name]
      const dimensions = sizes.dimensions(port.axes, scope, `${where} > ${name}`)
      for (const [axis, size] of Object.entries(fixed)) sizes.bind(scope, axis, size, "the config", name)
      if (!(value instanceof tf.Tensor) || value.dtype !== port.dtype || value.rank !== dimensions.length) {
        sizes.conflicts.push({ at: name, expected: showPort(port), received: show(value), fix: "" })
        continue
      }
      for (const [i, consumed] of dimensions.entries()) {
        const produced: Dimension = { name: consumed.name, terms: [{ size: value.shape[i]!, by: name }] }
        sizes.equate({ at: name, from: show(value), produced, consumed })
      }
    }
    sizes.settle()
    if (sizes.conflicts.length === 0) return
    throw new ShapeMismatch({
      where,
      expected: lines(sizes.conflicts.map(({ at, expected }) => `${at}: ${expected}`)),
      received: lines(sizes.conflicts.map(({ at, received }) => `${at}: ${received}`)),
      fix: "give tensors of these types, or change the ports that the node declares",
    })
  }
}

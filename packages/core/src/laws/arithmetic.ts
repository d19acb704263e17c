import type * as tf from "@tensorflow/tfjs-core"
import { axisNames } from "../axes.js"
import type { TensorFunction } from "../engine.js"
import { isFailure } from "../errors.js"
import { captureSync } from "../program/capture.js"
import { flopsOf } from "../program/flops.js"
import type { DType, Specs } from "../tensor.js"
import { shapeOf, type TensorSubject } from "./subject.js"

/** The greatest size of an axis that examples are drawn with, where a subject says nothing. */
const greatest = 3

/**
 * Arithmetic of one call of a subject on its largest examples: products and convolutions, each of whose multiplications and
 * additions count as two. It tells how long laws take, by what the subject is and not by a clock. 0 where it cannot be told.
 */
export const arithmeticOf = ({ name, in: ports, sizes, ranges, params = {}, apply }: TensorSubject): number => {
  const axes = [...new Set(Object.values(ports).flatMap((port) => axisNames(port.axes)))]
  const all = { ...Object.fromEntries(axes.map((axis) => [axis, ranges?.[axis]?.[1] ?? greatest])), ...sizes }
  const inputs: Specs = Object.fromEntries(
    Object.entries(ports).map(([port, type]) => [port, { dtype: type.dtype as DType, shape: shapeOf(type, all) }]),
  )
  const state: Specs = Object.fromEntries(
    Object.entries(params).map(([path, { dtype, shape }]) => [path, { dtype, shape }]),
  )
  const fn: TensorFunction = {
    name,
    state: { params: state },
    inputs,
    body: (slots, given) => {
      const made = apply(given, slots.params ?? {})
      return { outputs: isTensor(made) ? { out: made } : made }
    },
  }
  try {
    return captureSync(fn).equations.reduce((sum, equation) => sum + flopsOf(equation), 0)
  } catch (error) {
    if (isFailure(error)) return 0
    throw error
  }
}

const isTensor = (made: tf.Tensor | Readonly<Record<string, tf.Tensor>>): made is tf.Tensor => "dataId" in made

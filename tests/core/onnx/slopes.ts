/** Inputs for gradients, and the slopes that they are compared with. */
import * as tf from "@tensorflow/tfjs-core"
import type { GradientCase } from "./gradientCases.js"
import { sizeOf, type Values } from "./plain.js"

/** Numbers of the domain in a scattered order, at least a hundredth apart: no two are tied, none is near a kink. */
const drawn = (count: number, [low, high]: readonly [number, number], seed: number): Values =>
  Array.from({ length: count }, (_, i) => {
    const place = ((i * 37 + seed * 11) % 101) + 0.31 + 0.0013 * i
    return Math.fround(low + ((high - low) * place) / 102)
  })

/** Values for every input of a case. */
export const inputsOf = ({ shapes, domain }: GradientCase, seed: number): ReadonlyArray<Values> =>
  shapes.map((shape, i) => drawn(sizeOf(shape), domain ?? [-2, 2], seed + 5 * i))

/** Another weight for every element of a result, so that each has another dy. */
const weightsOf = (count: number): Values => Array.from({ length: count }, (_, i) => Math.fround(Math.cos(1 + 1.7 * i)))

/** Σ weights · y */
export const weighted = (y: tf.Tensor): tf.Tensor => tf.sum(tf.mul(y, tf.tensor([...weightsOf(y.size)], y.shape)))

/** d/dx Σ weights · f(x), by central differences in float64. */
const differences = (f: (x: Values) => Values, x: Values): Values => {
  const weights = weightsOf(f(x).length)
  const step = 1e-5
  const total = (i: number, by: number): number => f(x.with(i, x[i]! + by)).reduce((n, v, k) => n + v * weights[k]!, 0)
  return x.map((_, i) => (total(i, step) - total(i, -step)) / (2 * step))
}

/** The slopes of a case with respect to each of its inputs. */
export const slopesOf = ({ plain }: GradientCase, x: ReadonlyArray<Values>): ReadonlyArray<Values> =>
  x.map((values, i) => differences((moved) => plain(...x.with(i, moved)), values))

/** What is wrong with numbers, if anything. The largest sets the scale: sums are as exact as what they are summed of. */
export const wrong = (got: ArrayLike<number>, wanted: Values, tolerance: number): string | null => {
  if (got.length !== wanted.length) return `${got.length} elements instead of ${wanted.length}`
  const scale = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
  const k = wanted.findIndex((v, i) => !(Object.is(v, got[i]) || Math.abs(got[i]! - v) <= tolerance * scale))
  const show = (v: number): string => String(Number(v.toPrecision(3)))
  return k < 0 ? null : `${show(got[k]!)} instead of ${show(wanted[k]!)} at ${k}`
}

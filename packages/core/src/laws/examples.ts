/** What laws are tried on. Numbers are multiples of 1/1024, which float32 holds exactly and which shrink to 0. */
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"

/** A number within ± limit. */
export const real = (limit = 4): fc.Arbitrary<number> =>
  fc.integer({ min: -limit * 1024, max: limit * 1024 }).map((n) => n / 1024)

/** As many numbers as the shape has places, row-major. */
export const grid = (
  shape: ReadonlyArray<number>,
  each: fc.Arbitrary<number> = real(),
): fc.Arbitrary<Array<number>> => {
  const size = shape.reduce((n, d) => n * d, 1)
  return fc.array(each, { minLength: size, maxLength: size })
}

export const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

/** A mask with at least one true, row-major. */
export const mask = (shape: ReadonlyArray<number>): fc.Arbitrary<Array<number>> =>
  grid(shape, fc.constantFrom(0, 1)).filter((each) => each.includes(1))

/** A mask of sequences of length 1 to t, padded on the right. */
export const rightPadded = (b: number, t: number): fc.Arbitrary<Array<number>> =>
  fc
    .array(size(1, t), { minLength: b, maxLength: b })
    .map((lengths) => lengths.flatMap((length) => Array.from({ length: t }, (_, i) => (i < length ? 1 : 0))))

/** Distinct numbers, a strict preference among k answers. */
export const strict = (k: number): fc.Arbitrary<Array<number>> =>
  fc.shuffledSubarray(
    Array.from({ length: k }, (_, i) => i),
    { minLength: k },
  )

/** Log-probabilities of v tokens. */
export const distribution = (v: number): fc.Arbitrary<Array<number>> => grid([v]).map(logSoftmax)

export const logSoftmax = (logits: ReadonlyArray<number>): Array<number> => {
  const top = Math.max(...logits)
  const logSum = top + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0))
  return logits.map((x) => x - logSum)
}

/** Row-major numbers as rows. */
export const rows = (flat: ReadonlyArray<number>, width: number): Array<Array<number>> =>
  Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width))

export const float = (shape: ReadonlyArray<number>, flat: ReadonlyArray<number>): tf.Tensor =>
  tf.tensor([...flat], [...shape], "float32")

export const bool = (shape: ReadonlyArray<number>, flat: ReadonlyArray<number>): tf.Tensor =>
  tf.tensor([...flat], [...shape], "bool")

export const ids = (shape: ReadonlyArray<number>, flat: ReadonlyArray<number>): tf.Tensor =>
  tf.tensor([...flat], [...shape], "int32")

/** The gradient of a scalar function at tensors. */
export const gradient = (f: (...x: Array<tf.Tensor>) => tf.Scalar, at: ReadonlyArray<tf.Tensor>): Array<tf.Tensor> =>
  tf.grads(f)([...at])

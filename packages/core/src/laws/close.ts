import type * as tf from "@tensorflow/tfjs-core"

export interface Tolerance {
  readonly relative?: number
  /** In units of the largest expected number, or of 1 where all are smaller. */
  readonly absolute?: number
}

type Numbers = number | ReadonlyArray<number> | Float32Array | tf.Tensor

/** A tensor's, a list's or a single number's values. */
export const values = (x: Numbers): ReadonlyArray<number> =>
  typeof x === "number" ? [x] : isTensor(x) ? Array.from(x.dataSync()) : x instanceof Float32Array ? Array.from(x) : x

const isTensor = (x: Numbers): x is tf.Tensor => typeof x === "object" && "dataSync" in x

/** Throws unless every number is near the expected one. Never near: NaN, or another count of numbers. */
export const expectClose = (
  actual: Numbers,
  expected: Numbers,
  { relative = 1e-5, absolute = 1e-5 }: Tolerance = {},
): void => {
  const [got, wanted] = [values(actual), values(expected)]
  const scale = wanted.reduce((top, x) => Math.max(top, Math.abs(x)), 1)
  const near = (x: number, i: number): boolean =>
    x === wanted[i] || Math.abs(x - wanted[i]!) <= relative * Math.abs(wanted[i]!) + absolute * scale
  if (got.length === wanted.length && got.every(near)) return
  throw new Error(`expected ${show(wanted)}\nreceived ${show(got)}`)
}

/** Throws unless every number is the expected one, bit for bit but for the sign of 0. */
export const expectSame = (actual: Numbers, expected: Numbers): void => {
  const [got, wanted] = [values(actual), values(expected)]
  if (got.length === wanted.length && got.every((x, i) => x === wanted[i])) return
  throw new Error(`expected exactly ${show(wanted)}\nreceived ${show(got)}`)
}

/** Throws, saying what was found, unless the condition holds. */
export const expectThat = (holds: boolean, found: () => string): void => {
  if (!holds) throw new Error(found())
}

const show = (numbers: ReadonlyArray<number>): string => `[${numbers.join(", ")}]`

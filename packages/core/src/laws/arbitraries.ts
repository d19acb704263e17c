/**
 * Row-major numbers of a shape, by what they mean, with the corners in which losses break: ties, ±1e4, one class that has
 * all the mass, all masked but one. All are exact in float32 but where a function says otherwise, and shrink towards 0.
 */
import fc from "fast-check"
import { grid, logSoftmax, real, rows, size, strict } from "./examples.js"

type Numbers = fc.Arbitrary<Array<number>>
type Shape = ReadonlyArray<number>

const count = (shape: Shape): number => shape.reduce((n, d) => n * d, 1)
const width = (shape: Shape): number => Math.max(1, shape.at(-1) ?? 1)

/** The usual, most of the time, and each of the corners. What fails in a corner shrinks to the usual where that fails too. */
const withCorners = (usual: Numbers, ...corners: ReadonlyArray<Numbers>): Numbers =>
  fc.oneof(
    { withCrossShrink: true },
    { arbitrary: usual, weight: 2 * corners.length },
    ...corners.map((arbitrary) => ({ arbitrary, weight: 1 })),
  )

const same = (shape: Shape, each: fc.Arbitrary<number>): Numbers =>
  each.map((x) => Array.from({ length: count(shape) }, () => x))

/** Real numbers of no special meaning, ±4; ties, zeros. */
export const numbers = (shape: Shape): Numbers =>
  withCorners(grid(shape), grid(shape, fc.constantFrom(0, 1, -1)), same(shape, real()))

/** Logits; ties along the last axis, ±1e4 among ordinary ones, all of ±1e4. */
export const logits = (shape: Shape): Numbers =>
  withCorners(
    grid(shape),
    same(shape, real()),
    grid(shape, fc.oneof(real(), fc.constantFrom(1e4, -1e4))),
    grid(shape, fc.constantFrom(0, 1e4, -1e4)),
  )

/** Probabilities along the last axis, rounded to float32; uniform, and all mass at one class. */
export const distributions = (shape: Shape): Numbers => {
  const each = width(shape)
  const softmax = (x: ReadonlyArray<number>): Array<number> =>
    rows(x, each).flatMap((row) => logSoftmax(row).map((logP) => Math.fround(Math.exp(logP))))
  const certain = fc
    .array(size(0, each - 1), { minLength: count(shape) / each, maxLength: count(shape) / each })
    .map((classes) => classes.flatMap((c) => Array.from({ length: each }, (_, i) => (i === c ? 1 : 0))))
  return withCorners(grid(shape).map(softmax), same(shape, fc.constant(Math.fround(1 / each))), certain)
}

/** Log-probabilities of single tokens: 0 to −20; certain ones. */
export const logProbs = (shape: Shape): Numbers =>
  withCorners(
    grid(shape, real(4)).map((x) => x.map((v) => -Math.abs(v))),
    grid(shape, size(0, 20)).map((x) => x.map((v) => -v)),
    same(shape, fc.constant(0)),
  )

/** Masks with at least one true: any, padded on the right, all true, all masked but one. */
export const masks = (shape: Shape): Numbers => {
  const [n, each] = [count(shape), width(shape)]
  const right = fc
    .array(size(1, each), { minLength: n / each, maxLength: n / each })
    .map((lengths) => lengths.flatMap((length) => Array.from({ length: each }, (_, i) => (i < length ? 1 : 0))))
  const one = size(0, n - 1).map((at) => Array.from({ length: n }, (_, i) => (i === at ? 1 : 0)))
  return withCorners(
    right,
    grid(shape, size(0, 1)).filter((x) => x.includes(1)),
    same(shape, fc.constant(1)),
    one,
  )
}

/** Preferences among the last axis's candidates, higher is better: strict, with ties, all tied. */
export const rankings = (shape: Shape): Numbers => {
  const [n, each] = [count(shape), width(shape)]
  const orders = fc.array(strict(each), { minLength: n / each, maxLength: n / each }).map((x) => x.flat())
  return withCorners(orders, grid(shape, size(0, 2)), same(shape, fc.constant(1)))
}

/** Vectors along the last axis, none of them 0: any, along an axis, all one vector. */
export const embeddings = (shape: Shape): Numbers => {
  const each = width(shape)
  const length = (row: ReadonlyArray<number>): number => Math.hypot(...row)
  const solid = (x: ReadonlyArray<number>): boolean => rows(x, each).every((row) => length(row) > 0.1)
  const axes = grid(shape, fc.constantFrom(0, 1, -1)).filter(solid)
  const one = grid([each])
    .filter((row) => length(row) > 0.1)
    .map((row) => Array.from({ length: count(shape) / each }, () => row).flat())
  return withCorners(grid(shape).filter(solid), axes, one)
}

/** Pixels within a range: any, of one colour, black and white. Multiples of 1/256 of the range. */
export const images = (shape: Shape, [low, high]: readonly [number, number] = [-1, 1]): Numbers => {
  const pixel = size(0, 256).map((n) => low + ((high - low) * n) / 256)
  return withCorners(grid(shape, pixel), same(shape, pixel), grid(shape, fc.constantFrom(low, high)))
}

/** Ids below a vocabulary's size: any, all one, the first and the last alone. */
export const tokens = (shape: Shape, vocab: number): Numbers => {
  const id = size(0, vocab - 1)
  return withCorners(grid(shape, id), same(shape, id), grid(shape, fc.constantFrom(0, vocab - 1)))
}

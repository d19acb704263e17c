import { expectClose, float, grid, type Law, law, size, values } from "@millrace/core/laws"
import type * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Latents } from "../unclip/latents.js"

/** Two pairs of embeddings and noise, and a share, to the pair between them. */
export type Interpolate = (
  a: Latents<tf.Tensor>,
  b: Latents<tf.Tensor>,
  share: tf.Tensor | number,
) => Latents<tf.Tensor>

type Numbers = ReadonlyArray<number>
interface Pair {
  readonly embedding: Numbers
  readonly noise: Numbers
}

const [y, x, c, d] = [2, 2, 1, 3]
const norm = (v: Numbers): number => Math.sqrt(v.reduce((sum, each) => sum + each * each, 0))
const unit = (v: Numbers): Numbers => v.map((each) => each / norm(v))
const dot = (a: Numbers, b: Numbers): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
const angle = (a: Numbers, b: Numbers): number => Math.acos(Math.max(-1, Math.min(1, dot(unit(a), unit(b)))))
const some = (n: number) => grid([n]).filter((v) => norm(v) > 0.5)
const pair = fc.record({ embedding: some(d).map(unit), noise: some(y * x * c) })
/** Neither half of one is opposite to the other's. */
const pairsAt = (share: fc.Arbitrary<number>) =>
  fc
    .record({ a: pair, b: pair, share })
    .filter(({ a, b }) => dot(a.embedding, b.embedding) > -0.98 && dot(unit(a.noise), unit(b.noise)) > -0.98)

const tensors = (of: ReadonlyArray<Pair>): Latents<tf.Tensor> => ({
  embedding: float(
    [of.length, d],
    of.flatMap(({ embedding }) => embedding),
  ),
  noise: float(
    [of.length, y, x, c],
    of.flatMap(({ noise }) => noise),
  ),
})
const numbersOf = ({ embedding, noise }: Latents<tf.Tensor>): Pair => ({
  embedding: values(embedding),
  noise: values(noise),
})
const same = (one: Pair, other: Pair): void => {
  expectClose(one.embedding, other.embedding)
  expectClose(one.noise, other.noise)
}

/** The pair between two, as numbers. */
type Between = (a: Pair, b: Pair, share: number) => Pair

const isFirstAtZero = (at: Between, pairs: ReturnType<typeof pairsAt>): Law =>
  law("a share of 0 is the first image", pairs, ({ a, b }) => same(at(a, b, 0), a))

const isSecondAtOne = (at: Between, pairs: ReturnType<typeof pairsAt>): Law =>
  law("a share of 1 is the second image", pairs, ({ a, b }) => same(at(a, b, 1), b))

const isItsWayBack = (at: Between, pairs: ReturnType<typeof pairsAt>): Law =>
  law("the way back is the way", pairs, ({ a, b, share }) => same(at(b, a, 1 - share), at(a, b, share)))

/** At any share, or at one. */
const onTheWay = (at: Between, pairs: ReturnType<typeof pairsAt>): ReadonlyArray<Law> => [
  law("embeddings of unit norm stay of unit norm", pairs, ({ a, b, share }) => {
    expectClose(norm(at(a, b, share).embedding), 1)
  }),
  law("noise of one length, as one vector of all pixels, keeps its length", pairs, ({ a, b, share }) => {
    const noise = unit(b.noise).map((v) => v * norm(a.noise))
    expectClose(norm(at(a, { ...b, noise }, share).noise), norm(a.noise))
  }),
  law("the angle of the embeddings grows evenly", pairs, ({ a, b, share }) => {
    const made = at(a, b, share).embedding
    expectClose(dot(a.embedding, made), Math.cos(share * angle(a.embedding, b.embedding)))
  }),
  law("noise that is given twice is kept", pairs, ({ a, b, share }) => {
    expectClose(at(a, { ...b, noise: a.noise }, share).noise, a.noise)
  }),
]

/**
 * What interpolation of images by their latents obeys.
 * @source Ramesh et al. 2022, section 3.2
 */
export const interpolationLaws = (interpolate: Interpolate): ReadonlyArray<Law> => {
  const pairs = pairsAt(size(0, 64).map((n) => n / 64))
  const at: Between = (a, b, share) => numbersOf(interpolate(tensors([a]), tensors([b]), share))
  return [
    isFirstAtZero(at, pairs),
    isSecondAtOne(at, pairs),
    isItsWayBack(at, pairs),
    ...onTheWay(at, pairs),
    law("each image has its own share", fc.tuple(pairs, size(0, 64)), ([{ a, b, share }, n]) => {
      const both = numbersOf(interpolate(tensors([a, a]), tensors([b, b]), float([2, 1], [share, n / 64])))
      const [one, other] = [at(a, b, share), at(a, b, n / 64)]
      same(both, {
        embedding: [...one.embedding, ...other.embedding],
        noise: [...one.noise, ...other.noise],
      })
    }),
  ]
}

/** Interpolation by one share: two pairs of embeddings and noise to the pair between them. */
export type InterpolateAt = (a: Latents<tf.Tensor>, b: Latents<tf.Tensor>) => Latents<tf.Tensor>

/** What interpolation by one share obeys. */
export const interpolationAtLaws = (interpolate: InterpolateAt, share: number): ReadonlyArray<Law> => {
  const pairs = pairsAt(fc.constant(share))
  const at: Between = (a, b) => numbersOf(interpolate(tensors([a]), tensors([b])))
  return [
    ...(share === 0 ? [isFirstAtZero(at, pairs)] : []),
    ...(share === 1 ? [isSecondAtOne(at, pairs)] : []),
    ...(share === 0.5 ? [isItsWayBack(at, pairs)] : []),
    ...onTheWay(at, pairs),
    law("the angle of the noises grows evenly", pairs, ({ a, b }) => {
      const made = unit(at(a, { ...b, noise: unit(b.noise).map((v) => v * norm(a.noise)) }, share).noise)
      expectClose(dot(unit(a.noise), made), Math.cos(share * angle(a.noise, b.noise)))
    }),
    law("the angles from the second shrink as evenly", pairs, ({ a, b }) => {
      const made = at(a, b, share).embedding
      expectClose(dot(b.embedding, made), Math.cos((1 - share) * angle(a.embedding, b.embedding)))
    }),
  ]
}

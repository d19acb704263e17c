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
const pairs = fc
  .record({ a: pair, b: pair, share: size(0, 64).map((n) => n / 64) })
  .filter(({ a, b }) => dot(a.embedding, b.embedding) > -0.98 && dot(unit(a.noise), unit(b.noise)) > -0.98)

/**
 * What interpolation of images by their latents obeys.
 * @source Ramesh et al. 2022, section 3.2
 */
export const interpolationLaws = (interpolate: Interpolate): ReadonlyArray<Law> => {
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
  const all = (a: ReadonlyArray<Pair>, b: ReadonlyArray<Pair>, share: tf.Tensor | number): Pair => {
    const { embedding, noise } = interpolate(tensors(a), tensors(b), share)
    return { embedding: values(embedding), noise: values(noise) }
  }
  const same = (one: Pair, other: Pair): void => {
    expectClose(one.embedding, other.embedding)
    expectClose(one.noise, other.noise)
  }
  return [
    law("a share of 0 is the first image, of 1 the second", pairs, ({ a, b }) => {
      same(all([a], [b], 0), a)
      same(all([a], [b], 1), b)
    }),
    law("the way back is the way", pairs, ({ a, b, share }) => {
      same(all([b], [a], 1 - share), all([a], [b], share))
    }),
    law("embeddings of unit norm stay of unit norm", pairs, ({ a, b, share }) => {
      expectClose(norm(all([a], [b], share).embedding), 1)
    }),
    law("noise of one length, as one vector of all pixels, keeps its length", pairs, ({ a, b, share }) => {
      const noise = unit(b.noise).map((v) => v * norm(a.noise))
      expectClose(norm(all([a], [{ ...b, noise }], share).noise), norm(a.noise))
    }),
    law("the angle of the embeddings grows evenly", pairs, ({ a, b, share }) => {
      const made = all([a], [b], share).embedding
      expectClose(dot(a.embedding, made), Math.cos(share * angle(a.embedding, b.embedding)))
    }),
    law("noise that is given twice is kept", pairs, ({ a, b, share }) => {
      expectClose(all([a], [{ ...b, noise: a.noise }], share).noise, a.noise)
    }),
    law("each image has its own share", fc.tuple(pairs, size(0, 64)), ([{ a, b, share }, n]) => {
      const both = all([a, a], [b, b], float([2, 1], [share, n / 64]))
      const [one, other] = [all([a], [b], share), all([a], [b], n / 64)]
      same(both, {
        embedding: [...one.embedding, ...other.embedding],
        noise: [...one.noise, ...other.noise],
      })
    }),
  ]
}

import { float32 } from "@millrace/core"
import {
  expectClose,
  expectSame,
  expectThat,
  float,
  gradient,
  grid,
  ids,
  type Law,
  law,
  real,
  rows,
  size,
  values,
} from "@millrace/core/laws"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import type { Range } from "../unclip/buckets.js"
import type { Pca } from "../unclip/pca.js"

const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const mean = (x: ReadonlyArray<number>): number => x.reduce((a, b) => a + b, 0) / x.length

// --- principal components

/** Principal components: their fit to samples [n c], the way there and the way back. */
export interface ComponentsOf {
  readonly fit: (samples: ReturnType<typeof float32>, kept: number) => Pca
  readonly project: (z: tf.Tensor, mean: tf.Tensor, axes: tf.Tensor) => tf.Tensor
  readonly reconstruct: (components: tf.Tensor, mean: tf.Tensor, axes: tf.Tensor) => tf.Tensor
}

/** Samples in general position, and how many components are kept. */
const clouds = fc
  .tuple(size(2, 5), size(0, 6))
  .chain(([c, more]) =>
    fc.record({
      shape: fc.constant([c + 2 + more, c] as const),
      data: grid([c + 2 + more, c]),
      kept: size(1, c),
    }),
  )
  .map(({ shape, data, kept }) => ({
    shape,
    kept,
    // Every axis has a spread of its own, so that no two variances are equal.
    data: data.map((x, i) => x * (1 + (i % shape[1])) + Math.sin(7 * i)),
  }))

/** Laws of principal components. */
export const componentLaws = ({ fit, project, reconstruct }: ComponentsOf): ReadonlyArray<Law> => {
  const of = ({ shape, data, kept }: { shape: readonly [number, number]; data: Array<number>; kept: number }) => {
    const { mean: m, axes, variances } = fit(float32(shape, data), kept)
    const [middle, along] = [float(m.shape, [...m.data]), float(axes.shape, [...axes.data])]
    const z = float(shape, data)
    const there = (x: tf.Tensor) => project(x, middle, along)
    const back = (x: tf.Tensor) => reconstruct(x, middle, along)
    return { z, there, back, axes: rows([...axes.data], shape[1]), variances: [...variances.data] }
  }
  const error = (z: tf.Tensor, w: tf.Tensor): number => mean(values(tf.squaredDifference(z, w)))
  return [
    law("the axes are orthonormal", clouds, (e) => {
      const { axes } = of(e)
      expectClose(
        axes.flatMap((a) => axes.map((b) => dot(a, b))),
        axes.flatMap((_, i) => axes.map((__, j) => (i === j ? 1 : 0))),
      )
    }),
    law("the components of what components give are the components", clouds, (e) => {
      const { z, there, back } = of(e)
      expectClose(there(back(there(z))), there(z), { absolute: 1e-4 })
    }),
    law("with all components nothing is lost", clouds, (e) => {
      const { z, there, back } = of({ ...e, kept: e.shape[1] })
      expectClose(back(there(z)), z, { absolute: 1e-4 })
    }),
    law("keeping more components never loses more", clouds, (e) => {
      const lost = Array.from({ length: e.shape[1] }, (_, i) => {
        const { z, there, back } = of({ ...e, kept: i + 1 })
        return error(z, back(there(z)))
      })
      expectThat(
        lost.every((x, i) => i === 0 || x <= lost[i - 1]! + 1e-4),
        () => `errors ${lost}`,
      )
    }),
    law("what is lost is the variance that is left out", clouds, (e) => {
      const [n, c] = e.shape
      const all = of({ ...e, kept: c })
      const { z, there, back } = of(e)
      const left = all.variances.slice(e.kept).reduce((a, b) => a + b, 0)
      expectClose(error(z, back(there(z))) * c, (left * (n - 1)) / n, { relative: 1e-3, absolute: 1e-3 })
    }),
    law("variances fall, and are those of the components", clouds, (e) => {
      const { z, there, variances } = of(e)
      const columns = tf.transpose(there(z))
      const found = rows(values(columns) as Array<number>, e.shape[0]).map(
        (x) => (mean(x.map((v) => (v - mean(x)) ** 2)) * x.length) / (x.length - 1),
      )
      expectClose(variances, found, { relative: 1e-3, absolute: 1e-3 })
      expectThat(
        variances.every((v, i) => i === 0 || v <= variances[i - 1]!),
        () => `variances ${variances}`,
      )
    }),
  ]
}

// --- buckets

/** Buckets of components: their ranges, the way there and the way back. */
export interface BucketsOf {
  readonly range: (samples: ReturnType<typeof float32>) => Range
  readonly quantise: (x: tf.Tensor, low: tf.Tensor, high: tf.Tensor, buckets: number) => tf.Tensor
  readonly dequantise: (codes: tf.Tensor, low: tf.Tensor, high: tf.Tensor, buckets: number) => tf.Tensor
}

const samples = fc.tuple(size(2, 8), size(1, 3)).chain(([n, k]) =>
  fc.record({
    n: fc.constant(n),
    k: fc.constant(k),
    buckets: size(1, 40),
    // No component is flat.
    data: grid([n, k]).map((x) => x.map((v, i) => v + Math.floor(i / k) * 9)),
  }),
)

/** Laws of a quantiser. */
export const bucketLaws = ({ range, quantise, dequantise }: BucketsOf): ReadonlyArray<Law> => {
  const of = ({ n, k, data, buckets }: { n: number; k: number; data: Array<number>; buckets: number }) => {
    const { low, high } = range(float32([n, k], data))
    const [from, to] = [float([k], [...low.data]), float([k], [...high.data])]
    return {
      x: float([n, k], data),
      width: Array.from(high.data, (h, i) => (h - low.data[i]!) / buckets),
      code: (x: tf.Tensor) => quantise(x, from, to, buckets),
      middle: (codes: tf.Tensor) => dequantise(codes, from, to, buckets),
    }
  }
  return [
    law("a number in the range is at most half a bucket from its bucket's middle", samples, (e) => {
      const { x, code, middle, width } = of(e)
      const off = values(tf.abs(tf.sub(middle(code(x)), x)))
      expectThat(
        off.every((d, i) => d <= 0.5 * width[i % e.k]! + 1e-4),
        () => `off by ${off}, widths ${width}`,
      )
    }),
    law("the bucket of a bucket's middle is the bucket", samples, (e) => {
      const { code, middle } = of(e)
      const codes = ids(
        [e.buckets, e.k],
        Array.from({ length: e.buckets * e.k }, (_, i) => Math.floor(i / e.k)),
      )
      expectSame(code(middle(codes)), codes)
    }),
    law("a larger number is never in an earlier bucket", fc.tuple(samples, real(40)), ([e, up]) => {
      const { x, code } = of(e)
      const [before, after] = [values(code(x)), values(code(tf.add(x, Math.abs(up))))]
      expectThat(
        before.every((b, i) => b <= after[i]!),
        () => `${before} came before ${after}`,
      )
    }),
    law(
      "codes are from 0 up to the number of buckets, for numbers out of the range too",
      fc.tuple(samples, real(1000)),
      ([e, far]) => {
        const { x, code } = of(e)
        const codes = values(code(tf.add(x, far)))
        expectThat(
          codes.every((c) => Number.isInteger(c) && c >= 0 && c < e.buckets),
          () => `codes ${codes}`,
        )
      },
    ),
    law("the smallest sample is in the first bucket and the largest in the last", samples, (e) => {
      const { x, code } = of(e)
      const columns = rows(values(tf.transpose(code(x))) as Array<number>, e.n)
      expectSame(
        columns.flatMap((column) => [Math.min(...column), Math.max(...column)]),
        columns.flatMap(() => [0, e.buckets - 1]),
      )
    }),
  ]
}

// --- candidates

const candidates = fc
  .tuple(size(1, 3), size(1, 4), size(1, 4))
  .chain(([b, n, c]) =>
    fc.record({ shape: fc.constant([b, n, c] as const), data: grid([b, n, c]), text: grid([b, c]) }),
  )

/** Laws of choosing among sampled embeddings. */
export const candidateLaws = (closest: (candidates: tf.Tensor, text: tf.Tensor) => tf.Tensor): ReadonlyArray<Law> => [
  law("what is chosen is a candidate, and none is closer to the caption", candidates, ({ shape, data, text }) => {
    const [b, n, c] = shape
    const chosen = rows(values(closest(float(shape, data), float([b, c], text))) as Array<number>, c)
    for (const [i, one] of chosen.entries()) {
      const each = rows(data.slice(i * n * c, (i + 1) * n * c), c)
      const caption = text.slice(i * c, (i + 1) * c)
      expectThat(
        each.some((z) => z.join() === one.join()),
        () => `${one} is none of ${each}`,
      )
      expectThat(
        each.every((z) => dot(z, caption) <= dot(one, caption) + 1e-4),
        () => `${one} is not the closest`,
      )
    }
  }),
  law("more candidates never lower the dot product", candidates, ({ shape, data, text }) => {
    const [b, n, c] = shape
    const all = float(shape, data)
    const captions = float([b, c], text)
    const dots = (z: tf.Tensor) => values(tf.sum(tf.mul(z, captions), 1))
    const [fewer, more] = [
      dots(closest(tf.slice(all, [0, 0, 0], [b, Math.max(1, n - 1), c]), captions)),
      dots(closest(all, captions)),
    ]
    expectThat(
      fewer.every((x, i) => x <= more[i]! + 1e-4),
      () => `${fewer} fell to ${more}`,
    )
  }),
]

// --- losses

const targets = fc
  .tuple(size(2, 5), size(1, 4))
  .chain(([n, c]) => fc.record({ n: fc.constant(n), c: fc.constant(c), z: grid([n, c]), other: grid([c]) }))

/** Laws of the loss of a diffusion prior. */
export const priorLossLaws = (loss: (predicted: tf.Tensor, embedding: tf.Tensor) => tf.Scalar): ReadonlyArray<Law> => {
  const same = (n: number, z: ReadonlyArray<number>) => Array.from({ length: n }, () => z).flat()
  const meanOf = ({ n, c, z }: { n: number; c: number; z: Array<number> }) =>
    Array.from({ length: c }, (_, j) => mean(Array.from({ length: n }, (__, i) => z[i * c + j]!)))
  const at = (shape: ReadonlyArray<number>, a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
    values(loss(float(shape, a), float(shape, b)))[0]!
  return [
    law("one prediction for several embeddings is best at their mean", targets, (e) => {
      const shape = [e.n, e.c]
      const best = at(shape, same(e.n, meanOf(e)), e.z)
      const worse = at(shape, same(e.n, e.other), e.z)
      expectThat(best <= worse + 1e-5, () => `${best} at the mean, ${worse} at ${e.other}`)
    }),
    law("its gradient at the mean sums to 0 over the examples", targets, (e) => {
      const g = gradient((p) => loss(p!, float([e.n, e.c], e.z)), [float([e.n, e.c], same(e.n, meanOf(e)))])[0]!
      expectClose(tf.sum(g, 0), Array(e.c).fill(0), { absolute: 1e-4 })
    }),
    law("it is 0 for the embeddings themselves alone", targets, (e) => {
      const shape = [e.n, e.c]
      expectSame(at(shape, e.z, e.z), 0)
      const moved = e.z.map((x, i) => (i === 0 ? x + 1 : x))
      expectThat(at(shape, moved, e.z) > 0, () => "another embedding costs nothing")
    }),
    law("the loss of two batches of one size is the mean of theirs", targets, (e) => {
      const other = same(e.n, e.other)
      const back = e.z.toReversed()
      const both = at([2 * e.n, e.c], [...other, ...back], [...e.z, ...other])
      expectClose(both, (at([e.n, e.c], other, e.z) + at([e.n, e.c], back, other)) / 2)
    }),
    law("it is the same with prediction and embedding changed about", targets, (e) => {
      const shape = [e.n, e.c]
      const other = same(e.n, e.other)
      expectClose(at(shape, other, e.z), at(shape, e.z, other))
    }),
    law("embeddings s times as large cost s² as much", fc.tuple(targets, real(3)), ([e, s]) => {
      const shape = [e.n, e.c]
      const other = same(e.n, e.other)
      const scaled = (x: ReadonlyArray<number>) => x.map((v) => v * s)
      expectClose(at(shape, scaled(other), scaled(e.z)), s * s * at(shape, other, e.z), { absolute: 1e-4 })
    }),
  ]
}

const coded = fc.tuple(size(1, 3), size(1, 4), size(2, 5)).chain(([b, k, v]) =>
  fc.record({
    shape: fc.constant([b, k, v] as const),
    logits: grid([b, k, v]),
    codes: grid([b, k], size(0, v - 1)),
    shift: grid([b, k]),
  }),
)

/** Laws of the loss of an autoregressive prior. */
export const codeLossLaws = (loss: (logits: tf.Tensor, codes: tf.Tensor) => tf.Scalar): ReadonlyArray<Law> => {
  const at = (shape: readonly [number, number, number], logits: ReadonlyArray<number>, codes: ReadonlyArray<number>) =>
    values(loss(float(shape, logits), ids(shape.slice(0, 2), codes)))[0]!
  return [
    law("uniform logits cost ln v", coded, ({ shape, codes }) => {
      expectClose(at(shape, Array(shape[0] * shape[1] * shape[2]).fill(3), codes), Math.log(shape[2]))
    }),
    law("adding a constant to the logits of a code changes nothing", coded, ({ shape, logits, codes, shift }) => {
      const moved = logits.map((x, i) => x + shift[Math.floor(i / shape[2])]!)
      expectClose(at(shape, moved, codes), at(shape, logits, codes))
    }),
    law("the loss of two batches of one size is the mean of theirs", coded, ({ shape, logits, codes }) => {
      const [b, k, v] = shape
      const other = logits.map((x, i) => Math.cos(x + i))
      const both = at([2 * b, k, v], [...logits, ...other], [...codes, ...codes])
      expectClose(both, (at(shape, logits, codes) + at(shape, other, codes)) / 2)
    }),
    law("the gradient of each code's logits sums to 0", coded, ({ shape, logits, codes }) => {
      const g = gradient((l) => loss(l!, ids(shape.slice(0, 2), codes)), [float(shape, logits)])[0]!
      expectClose(tf.sum(g, 2), Array(shape[0] * shape[1]).fill(0), { absolute: 1e-6 })
    }),
    law("it is never negative, and falls to 0 as the codes become certain", coded, ({ shape, logits, codes }) => {
      const certain = logits.map((_, i) => (i % shape[2] === codes[Math.floor(i / shape[2])] ? 60 : 0))
      expectThat(at(shape, logits, codes) >= 0, () => "negative")
      expectClose(at(shape, certain, codes), 0)
    }),
  ]
}

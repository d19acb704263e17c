import { BadData, float32 } from "@millrace/core"
import {
  closestCandidate,
  codeLoss,
  dequantise,
  fitPca,
  fitRange,
  priorLoss,
  projectEmbeddings,
  quantise,
  reconstructEmbeddings,
  scaleEmbeddings,
  unscaleEmbeddings,
  upperHalf,
} from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { expectClose } from "./close.js"
import { float, grid } from "./examples.js"
import { broken, type Law, law, verify } from "./law.js"
import {
  type Buckets,
  bucketLaws,
  type Components,
  candidateLaws,
  codeLossLaws,
  componentLaws,
  priorLossLaws,
} from "./priorLaws.js"

const components: Components = { fit: fitPca, project: projectEmbeddings, reconstruct: reconstructEmbeddings }
const buckets: Buckets = { range: fitRange, quantise, dequantise }

verify("principal components", componentLaws(components))
verify("buckets", bucketLaws(buckets))
verify("closestCandidate", candidateLaws(closestCandidate))
verify("priorLoss", priorLossLaws(priorLoss))
verify("codeLoss", codeLossLaws(codeLoss))
verify("scaleEmbeddings", [
  law("unscaling undoes scaling, and the embeddings given stay as they are", grid([2, 3]), (data) => {
    const z = float([2, 3], data)
    const statistics = { kind: "statistics", mean: tf.tensor1d([1, -2, 3]), std: tf.tensor1d([0.5, 2, 1]) } as const
    for (const scale of [{ kind: "factor", factor: 17.2 } as const, statistics]) {
      expectClose(unscaleEmbeddings(scaleEmbeddings(z, scale), scale), data)
      expectClose(z, data)
    }
  }),
])

test("an autoregressive prior is given dot products of the upper half", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1 }), (dots) => {
      const upper = upperHalf(float32([dots.length], dots)).data
      const sorted = dots.toSorted((a, b) => a - b)
      expect([...upper]).toEqual(sorted.slice(Math.floor(dots.length / 2)))
    }),
  )
  expect(() => upperHalf(float32([0], []))).toThrow(BadData)
  expect(() => upperHalf(float32([2], [0, Number.NaN]))).toThrow("NaN")
})

test("too few embeddings for the components are refused, and components that are all the same", () => {
  expect(() => fitPca(float32([2, 3], [1, 2, 3, 4, 5, 6]), 2)).toThrow(BadData)
  expect(() => fitPca(float32([3, 2], [1, 2, 3, 4, 5, Number.NaN]), 1)).toThrow("not all finite")
  expect(() => fitRange(float32([2, 2], [1, 2, 3, 2]))).toThrow("component 1 is 2")
})

/** Each law refuses some mutant, and each mutant is refused by some law. */
const refuse = <T>(
  subject: string,
  laws: (of: T) => ReadonlyArray<Law>,
  of: T,
  mutants: Readonly<Record<string, T>>,
): void => {
  describe(`the laws of ${subject} refuse`, () => {
    const killed = Object.entries(mutants).map(([name, mutant]) => ({ name, refused: broken(laws(mutant)) }))
    test.each(killed)("$name", ({ refused }) => expect(refused).not.toEqual([]))
    test("each law refuses one of them", () => {
      const all = laws(of).map(({ name }) => name)
      expect(all.filter((name) => !killed.some(({ refused }) => refused.includes(name)))).toEqual([])
    })
  })
}

const scaledAxes =
  (factor: number): Components["fit"] =>
  (samples, kept) => {
    const pca = fitPca(samples, kept)
    return {
      ...pca,
      axes: float32(
        pca.axes.shape,
        Float32Array.from(pca.axes.data, (x) => x * factor),
      ),
    }
  }

refuse<Components>("principal components", componentLaws, components, {
  "axes of another length": { ...components, fit: scaledAxes(1.1) },
  "the axes of least variance first": {
    ...components,
    fit: (samples, kept) => {
      const c = samples.shape[1]!
      const { mean, axes, variances } = fitPca(samples, c)
      const last = (x: typeof axes, width: number) => [...x.data].slice((c - kept) * width)
      return { mean, axes: float32([kept, c], last(axes, c)), variances: float32([kept], last(variances, 1)) }
    },
  },
  "variances with n": {
    ...components,
    fit: (samples, kept) => {
      const pca = fitPca(samples, kept)
      const n = samples.shape[0]!
      return {
        ...pca,
        variances: float32(
          [kept],
          Float32Array.from(pca.variances.data, (v) => (v * (n - 1)) / n),
        ),
      }
    },
  },
  "a mean that is not taken off": { ...components, project: (z, _, axes) => tf.matMul(z, axes, false, true) },
  "fewer components where more are asked for": {
    ...components,
    fit: (samples, kept) => {
      const c = samples.shape[1]!
      const { mean, axes, variances } = fitPca(samples, kept)
      const gone = kept === c ? 0 : 1
      const data = [...axes.data].map((x, i) => (Math.floor(i / c) === kept - 1 && gone === 0 ? 0 : x))
      return { mean, axes: float32([kept, c], data), variances }
    },
  },
})

refuse<Buckets>("buckets", bucketLaws, buckets, {
  "the lower edge for the middle": {
    ...buckets,
    dequantise: (codes, low, high, n) => tf.sub(dequantise(codes, low, high, n), tf.div(tf.sub(high, low), 2 * n)),
  },
  "codes that count down": {
    ...buckets,
    quantise: (x, low, high, n) => tf.sub(tf.scalar(n - 1, "int32"), quantise(x, low, high, n)),
  },
  "codes that are not kept in the range": {
    ...buckets,
    quantise: (x, low, high, n) => tf.cast(tf.floor(tf.mul(tf.div(tf.sub(x, low), tf.sub(high, low)), n)), "int32"),
  },
  "rounding to the nearest edge": {
    ...buckets,
    quantise: (x, low, high, n) =>
      tf.cast(tf.clipByValue(tf.round(tf.mul(tf.div(tf.sub(x, low), tf.sub(high, low)), n)), 0, n - 1), "int32"),
  },
  "a range that is too wide": {
    ...buckets,
    range: (samples) => {
      const { low, high } = fitRange(samples)
      return {
        low: float32(
          low.shape,
          Float32Array.from(low.data, (x) => x - 30),
        ),
        high,
      }
    },
  },
})

refuse("choosing among candidates", candidateLaws, closestCandidate, {
  "the first of all": (candidates) => tf.squeeze(tf.slice(candidates, [0, 0, 0], [-1, 1, -1]), [1]),
  "the farthest": (candidates, text) => closestCandidate(candidates, tf.neg(text)),
  "the mean of all": (candidates) => tf.mean(candidates, 1),
})

refuse("priorLoss", priorLossLaws, priorLoss, {
  "absolute differences": (a, b) => tf.mean(tf.abs(tf.sub(a, b))) as tf.Scalar,
  "the square of the mean difference": (a, b) => tf.square(tf.mean(tf.sub(a, b))) as tf.Scalar,
  "a floor": (a, b) => tf.add(priorLoss(a, b), 1) as tf.Scalar,
  "weighed by the prediction": (a, b) =>
    tf.mean(tf.mul(tf.squaredDifference(a, b), tf.add(1, tf.square(a)))) as tf.Scalar,
})

refuse("codeLoss", codeLossLaws, codeLoss, {
  "a sum for the mean": (logits, codes) => tf.mul(codeLoss(logits, codes), codes.size) as tf.Scalar,
  "the logits themselves": (logits, codes) =>
    tf.neg(tf.mean(tf.sum(tf.mul(logits, tf.oneHot(tf.cast(codes, "int32"), logits.shape[2]!)), 2))) as tf.Scalar,
  "codes one further": (logits, codes) =>
    codeLoss(logits, tf.cast(tf.mod(tf.add(codes, 1), logits.shape[2]!), "int32")),
})

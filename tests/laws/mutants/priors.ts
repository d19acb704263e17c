import { float32 } from "@millrace/core"
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
} from "@millrace/models"
import {
  type BucketsOf,
  bucketLaws,
  type ComponentsOf,
  candidateLaws,
  codeLossLaws,
  componentLaws,
  priorLossLaws,
} from "@millrace/models/laws"
import * as tf from "@tensorflow/tfjs-core"
import { mutantSet } from "./mutantSet.js"

export const components: ComponentsOf = { fit: fitPca, project: projectEmbeddings, reconstruct: reconstructEmbeddings }
export const buckets: BucketsOf = { range: fitRange, quantise, dequantise }

const scaledAxes =
  (factor: number): ComponentsOf["fit"] =>
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

export const componentMutants = mutantSet<ComponentsOf>({
  subject: "principal components",
  laws: componentLaws,
  real: components,
  mutants: {
    "with axes of another length": { ...components, fit: scaledAxes(1.1) },
    "with the axes of least variance first": {
      ...components,
      fit: (samples, kept) => {
        const c = samples.shape[1]!
        const { mean, axes, variances } = fitPca(samples, c)
        const last = (x: typeof axes, width: number) => [...x.data].slice((c - kept) * width)
        return { mean, axes: float32([kept, c], last(axes, c)), variances: float32([kept], last(variances, 1)) }
      },
    },
    "whose variances divide by n": {
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
    "whose mean is not taken off": { ...components, project: (z, _, axes) => tf.matMul(z, axes, false, true) },
    "with fewer components where more are asked for": {
      ...components,
      fit: (samples, kept) => {
        const c = samples.shape[1]!
        const { mean, axes, variances } = fitPca(samples, kept)
        const gone = kept === c ? 0 : 1
        const data = [...axes.data].map((x, i) => (Math.floor(i / c) === kept - 1 && gone === 0 ? 0 : x))
        return { mean, axes: float32([kept, c], data), variances }
      },
    },
  },
})

export const bucketMutants = mutantSet<BucketsOf>({
  subject: "buckets",
  laws: bucketLaws,
  real: buckets,
  mutants: {
    "with the lower edge for the middle": {
      ...buckets,
      dequantise: (codes, low, high, n) => tf.sub(dequantise(codes, low, high, n), tf.div(tf.sub(high, low), 2 * n)),
    },
    "whose codes count down": {
      ...buckets,
      quantise: (x, low, high, n) => tf.sub(tf.scalar(n - 1, "int32"), quantise(x, low, high, n)),
    },
    "whose codes are not kept in the range": {
      ...buckets,
      quantise: (x, low, high, n) => tf.cast(tf.floor(tf.mul(tf.div(tf.sub(x, low), tf.sub(high, low)), n)), "int32"),
    },
    "that round to the nearest edge": {
      ...buckets,
      quantise: (x, low, high, n) =>
        tf.cast(tf.clipByValue(tf.round(tf.mul(tf.div(tf.sub(x, low), tf.sub(high, low)), n)), 0, n - 1), "int32"),
    },
    "whose range is too wide": {
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
  },
})

export const candidateMutants = mutantSet<typeof closestCandidate>({
  subject: "choice among candidates",
  laws: candidateLaws,
  real: closestCandidate,
  mutants: {
    "that takes the first of all": (candidates) => tf.squeeze(tf.slice(candidates, [0, 0, 0], [-1, 1, -1]), [1]),
    "that takes the farthest": (candidates, text) => closestCandidate(candidates, tf.neg(text)),
    "that takes the mean of all": (candidates) => tf.mean(candidates, 1),
  },
})

export const priorLossMutants = mutantSet<typeof priorLoss>({
  subject: "loss of a prior of embeddings",
  laws: priorLossLaws,
  real: priorLoss,
  mutants: {
    "of absolute differences": (a, b) => tf.mean(tf.abs(tf.sub(a, b))) as tf.Scalar,
    "that is the square of the mean difference": (a, b) => tf.square(tf.mean(tf.sub(a, b))) as tf.Scalar,
    "with a floor": (a, b) => tf.add(priorLoss(a, b), 1) as tf.Scalar,
    "that is weighed by the prediction": (a, b) =>
      tf.mean(tf.mul(tf.squaredDifference(a, b), tf.add(1, tf.square(a)))) as tf.Scalar,
  },
})

export const codeLossMutants = mutantSet<typeof codeLoss>({
  subject: "loss of a prior of codes",
  laws: codeLossLaws,
  real: codeLoss,
  mutants: {
    "that is a sum": (logits, codes) => tf.mul(codeLoss(logits, codes), codes.size) as tf.Scalar,
    "of the logits themselves": (logits, codes) =>
      tf.neg(tf.mean(tf.sum(tf.mul(logits, tf.oneHot(tf.cast(codes, "int32"), logits.shape[2]!)), 2))) as tf.Scalar,
    "of codes one further": (logits, codes) =>
      codeLoss(logits, tf.cast(tf.mod(tf.add(codes, 1), logits.shape[2]!), "int32")),
  },
})

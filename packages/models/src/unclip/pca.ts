/**
 * Principal components of CLIP's embeddings, in which unCLIP's autoregressive prior predicts them.
 * Axes   n samples, c width of the embeddings, k components, b batch
 */
import { BadData, float32, type HostTensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { EigenvalueDecomposition, Matrix } from "ml-matrix"

/** Where an embedding's components are measured from, and along. */
export interface Pca {
  /** float32  c */
  readonly mean: HostTensor
  /** Orthonormal rows, that of the largest variance first.  float32  k c */
  readonly axes: HostTensor
  /** Of the samples along each axis, with n − 1.  float32  k */
  readonly variances: HostTensor
}

/**
 * The components along which embeddings vary most. An axis points where its largest entry is positive, so that the same
 * embeddings give the same axes.
 * @param samples  float32  n c
 * @param kept     how many, at most c and at most n − 1: the paper keeps 319 of 1,024 and loses next to nothing
 * @throws BadData  too few samples for the components, or a sample that is not finite
 * @source Ramesh et al. 2022, section 2.2
 */
export const fitPca = (samples: HostTensor, kept: number): Pca => {
  const [n = 0, c = 0] = samples.shape
  if (samples.shape.length !== 2 || kept < 1 || kept > c || kept >= n || !samples.data.every(Number.isFinite)) {
    throw new BadData({
      where: "fitPca",
      expected: `finite embeddings [n, c] with more than ${kept} samples and at least ${kept} components`,
      received: `[${samples.shape.join(", ")}]${samples.data.every(Number.isFinite) ? "" : ", not all finite"}`,
      fix: "give more embeddings, or keep fewer components",
    })
  }
  const mean = new Float64Array(c)
  for (let i = 0; i < n * c; i++) mean[i % c]! += samples.data[i]! / n
  const centred = new Matrix(n, c)
  for (let i = 0; i < n; i++) for (let j = 0; j < c; j++) centred.set(i, j, samples.data[i * c + j]! - mean[j]!)
  const covariance = centred
    .transpose()
    .mmul(centred)
    .div(n - 1)
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true })
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!)
  const rows = order.slice(0, kept).map((column) => {
    const axis = eigenvectorMatrix.getColumn(column)
    const largest = axis.reduce((top, x) => (Math.abs(x) > Math.abs(top) ? x : top), 0)
    return largest < 0 ? axis.map((x) => -x) : axis
  })
  return {
    mean: float32([c], mean),
    axes: float32([kept, c], rows.flat()),
    variances: float32(
      [kept],
      order.slice(0, kept).map((i) => Math.max(0, realEigenvalues[i]!)),
    ),
  }
}

/** The components of embeddings. float32 `b c`, mean `c`, axes `k c` -> float32 `b k` */
export const projectEmbeddings = (z: tf.Tensor, mean: tf.Tensor, axes: tf.Tensor): tf.Tensor =>
  tf.matMul(tf.sub(z, mean), axes, false, true)

/** The embeddings of components. float32 `b k`, mean `c`, axes `k c` -> float32 `b c` */
export const reconstructEmbeddings = (components: tf.Tensor, mean: tf.Tensor, axes: tf.Tensor): tf.Tensor =>
  tf.add(tf.matMul(components, axes), mean)

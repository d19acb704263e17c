/** How embeddings are made as large as noise before they are diffused. */
import type { HostTensor } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"

/**
 *   factor      times a number: 17.2 in Ramesh et al. 2022, which "matches the variance of RGB pixels"; √c in DALLE2-pytorch
 *   statistics  to mean 0 and standard deviation 1 in each component (kakaobrain/karlo)
 */
export type EmbeddingScale =
  | { readonly kind: "factor"; readonly factor: number }
  | { readonly kind: "statistics"; readonly mean: tf.Tensor; readonly std: tf.Tensor }

/** The same with its statistics as data. float32 `c` */
export type EmbeddingScaleData =
  | { readonly kind: "factor"; readonly factor: number }
  | { readonly kind: "statistics"; readonly mean: HostTensor; readonly std: HostTensor }

/** A scale from its data. */
export const embeddingScaleOf = (scale: EmbeddingScaleData): EmbeddingScale => {
  if (scale.kind === "factor") return scale
  const tensor = ({ data }: HostTensor): tf.Tensor => tf.tensor1d(Float32Array.from(data))
  return { kind: "statistics", mean: tensor(scale.mean), std: tensor(scale.std) }
}

/** Embeddings at the scale of noise; the ones given are left as they are. float32 `b c` -> `b c` */
export const scaleEmbeddings = (z: tf.Tensor, scale: EmbeddingScale): tf.Tensor =>
  scale.kind === "factor" ? tf.mul(z, scale.factor) : tf.div(tf.sub(z, scale.mean), scale.std)

/** What `scaleEmbeddings` undoes. float32 `b c` -> `b c` */
export const unscaleEmbeddings = (z: tf.Tensor, scale: EmbeddingScale): tf.Tensor =>
  scale.kind === "factor" ? tf.div(z, scale.factor) : tf.add(tf.mul(z, scale.std), scale.mean)

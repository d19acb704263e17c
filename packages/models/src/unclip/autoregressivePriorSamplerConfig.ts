/** How an autoregressive prior is sampled. */
import { BadConfig, type HostTensor } from "@millrace/core"
import type { SamplerBasis } from "../sample/samplerBasis.js"
import { wrongTransform } from "../sample/transform.js"
import type { AutoregressivePriorConfig } from "./autoregressivePrior.js"
import type { Range } from "./buckets.js"
import type { Pca } from "./pca.js"

/** What a sampler of codes is compiled for. */
export interface AutoregressivePriorSamplerConfig extends SamplerBasis {
  /** Of classifier-free guidance, over logits. 1, the default, is the caption's own prediction. */
  readonly guidance?: number
  /** Components that the codes are buckets of, and their ranges. */
  readonly pca: Pca
  readonly range: Range
  /** z_image · z_text of the training data; each sample is given one of the upper half.  float32  n */
  readonly dots: HostTensor
  /** The range of which dot products' buckets are, of one component. */
  readonly dotRange: Range
}

/** @throws BadConfig  every part that makes no sense, at once */
export const checkCodeSampler = (
  { codes: k, embedding: c }: AutoregressivePriorConfig,
  sampler: AutoregressivePriorSamplerConfig,
): void => {
  const { batch, guidance = 1, pca, range, dotRange } = sampler
  const wrong: Array<readonly [expected: string, received: string]> = [...wrongTransform(sampler)]
  if (!Number.isInteger(batch) || batch < 1) wrong.push(["batch a whole number of at least 1", `batch ${batch}`])
  if (!Number.isFinite(guidance)) wrong.push(["a finite guidance", `guidance ${guidance}`])
  const shaped = (name: string, { shape }: HostTensor, wanted: ReadonlyArray<number>): void => {
    if (shape.join() !== wanted.join()) wrong.push([`${name} [${wanted.join(", ")}]`, `${name} [${shape.join(", ")}]`])
  }
  shaped("pca.mean", pca.mean, [c])
  shaped("pca.axes", pca.axes, [k, c])
  shaped("range.low", range.low, [k])
  shaped("range.high", range.high, [k])
  shaped("dotRange.low", dotRange.low, [1])
  shaped("dotRange.high", dotRange.high, [1])
  if (wrong.length === 0) return
  throw new BadConfig({
    where: "autoregressive prior sampler",
    expected: wrong.map(([expected]) => expected).join("\n"),
    received: wrong.map(([, received]) => received).join("\n"),
    fix: "correct the sampler's config",
  })
}

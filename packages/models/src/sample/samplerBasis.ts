/** What every sampler is compiled for, whatever it draws. */
import type { SamplingTransform } from "./transform.js"

export interface SamplerBasis extends SamplingTransform {
  /** Texts, images or embeddings at a time. */
  readonly batch: number
  /**
   * The weights stay the same for many calls: the engine builds them into the program. A token takes less time, the first call
   * with new weights more.
   */
  readonly frozen?: boolean
  /** What the names of the parameters in the state slot `policy` start with: `logits.` for a graph's node `logits`. */
  readonly prefix?: string
}

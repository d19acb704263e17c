/** The config of the pipeline. */
import type { captionTokenizerStage } from "../captions/tokenizer.js"
import type { clipTrainStage } from "../clip/train.js"
import type { DecoderStageConfig } from "./decoderConfig.js"
import type { embeddingsStage } from "./embeddings.js"
import type { evaluatePriorStage } from "./evaluatePrior.js"
import type { interpolationsStage } from "./interpolations.js"
import type { PriorStageConfig } from "./priorConfig.js"
import type { retrievalStage } from "./retrieval.js"
import type { unclipSampleStage } from "./sample.js"
import type { textDiffsStage } from "./textDiffs.js"
import type { UpsamplerStageConfig } from "./upsamplerConfig.js"
import type { variationsStage } from "./variations.js"

type ConfigOf<Make extends (config: never) => unknown> = Parameters<Make>[0]

/** The config of every stage of the pipeline. */
export interface Dalle2Config {
  readonly tokenizer: ConfigOf<typeof captionTokenizerStage>
  readonly clip: ConfigOf<typeof clipTrainStage>
  readonly embeddings: ConfigOf<typeof embeddingsStage>
  readonly prior: PriorStageConfig
  readonly evaluatePrior: ConfigOf<typeof evaluatePriorStage>
  readonly decoder: DecoderStageConfig
  readonly upsampler: UpsamplerStageConfig
  readonly retrieval: ConfigOf<typeof retrievalStage>
  readonly sample: ConfigOf<typeof unclipSampleStage>
  readonly variations: ConfigOf<typeof variationsStage>
  readonly interpolations: ConfigOf<typeof interpolationsStage>
  readonly textDiffs: ConfigOf<typeof textDiffsStage>
}

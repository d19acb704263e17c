/** Stage: a prior learns which embeddings of images go with a caption. */
import { artifact, defineStageNode, Stage } from "@millrace/core"
import { Effect } from "effect"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { unclipPriorKind } from "../artifacts/unclipPrior.js"
import { trainingOf } from "../trainer.js"
import { codePriorTrainingOf, fitCodePrior } from "./codePrior.js"
import { diffusionPriorTraining, fitDiffusionPrior } from "./diffusionPrior.js"
import { PriorStageConfig } from "./priorConfig.js"

export const unclipPriorStage = defineStageNode({
  type: "dalle2.prior",
  version: 1,
  source: "Ramesh et al. 2022, section 2.2: captions are left out in a tenth of all examples",
  config: PriorStageConfig,
  ports: {
    in: { embeddings: artifact(embeddingsKind), clip: artifact(clipModelKind) },
    out: artifact(unclipPriorKind),
  },
  outline: (config, { size }) => {
    const [joint, vocab] = [size("embeddings", "joint"), size("clip", "vocab")]
    const training = config.kind === "diffusion" ? diffusionPriorTraining : codePriorTrainingOf
    return { sizes: { joint }, functions: { step: () => trainingOf(training(config, joint, vocab)) } }
  },
  run: (config, { embeddings, clip }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const learn = config.kind === "diffusion" ? fitDiffusionPrior : fitCodePrior
      return yield* learn(config, embeddings.train, clip.tokenizer, key)
    }),
})

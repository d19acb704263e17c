/** Stage: an upsampler learns to make large images of small ones. */
import {
  artifact,
  type BadData,
  defineStageNode,
  Engine,
  type EngineError,
  initParams,
  objectiveOf,
  random,
  type ShapeMismatch,
  Stage,
  spec,
  split,
} from "@millrace/core"
import { alignedCrops } from "@millrace/models"
import { Effect } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { imageUpsamplerKind } from "../artifacts/imageDecoder.js"
import { fit } from "../fit.js"
import { enlarged } from "../images/resized.js"
import { showImages } from "../images/showImages.js"
import { epochRows } from "../order.js"
import { renamed } from "../parameters.js"
import { type Trainer, type Training, trainingOf } from "../trainer.js"
import { drawTimes } from "./captionedRows.js"
import { compileCorruption } from "./corrupt.js"
import { upsamplerTraining } from "./objectives.js"
import { requireSide } from "./requireSide.js"
import { signedBatch, signedBytes } from "./signedImages.js"
import { UpsamplerStageConfig, upsamplerConfigOf } from "./upsamplerConfig.js"
import { compileUpsampler } from "./upsampling.js"

const trainingFor = (config: UpsamplerStageConfig): Training => {
  const { model, batch, fit: training, diffusion, loss, from, crop } = config
  const [large, small] = [model.unet.size * crop, from * crop]
  const images = spec("float32", [batch, large, large, 3])
  return {
    objective: objectiveOf(upsamplerTraining(upsamplerConfigOf(model), diffusion, loss)),
    inputs: {
      image: images,
      small: spec("float32", [batch, small, small, 3]),
      noise: images,
      time: spec("int32", [batch]),
    },
    config: training,
  }
}

export const upsamplerStage = defineStageNode({
  type: "dalle2.upsampler",
  version: 1,
  source: "Ramesh et al. 2022, section 2.1 and appendix C: small images are corrupted, crops are trained on",
  config: UpsamplerStageConfig,
  ports: {
    in: { images: artifact(captionedImagesKind), embeddings: artifact(embeddingsKind) },
    out: artifact(imageUpsamplerKind),
  },
  outline: (config) => ({
    sizes: { side: config.model.unet.size },
    functions: { step: () => trainingOf(trainingFor(config)) },
  }),
  run: (config, { images, embeddings: { train, heldOut } }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const engine = yield* Engine
      const { model, batch, diffusion, from, crop, watch } = config
      const to = model.unet.size
      yield* requireSide("dalle2.upsampler > from", to, from)
      const corrupt = yield* compileCorruption(config.corruption, [batch, from, from, 3], key)
      const network = { config: upsamplerConfigOf(model), diffusion, from, to }
      const training = trainingFor(config)
      const side = to * crop

      const batchAt = (step: number) =>
        Effect.gen(function* () {
          const own = (name: string) => split(split(key, name), step)
          const rows = epochRows(train.indices.length, batch, split(key, "order"), step)
          const read = yield* images.train.read(rows.map((row) => train.indices[row]!))
          const pixels = read.map((image) => image.pixels)
          const small = yield* corrupt(signedBatch(pixels, images.size, from), own("corruption"))
          const pairs = alignedCrops({ large: signedBatch(pixels, images.size, to), small }, own("crops"), crop)
          return {
            image: pairs.large,
            small: pairs.small,
            noise: random.normal(own("noise"), [batch, side, side, 3]),
            time: drawTimes(own("times"), batch, diffusion.schedule.steps),
          }
        })

      const watched = Math.min(watch.images, heldOut.indices.length)
      const shown = yield* images.heldOut.read([...heldOut.indices.subarray(0, watched)])
      const pixels = shown.map((image) => image.pixels)
      const sample = yield* compileUpsampler(network, { ...watch, batch: Math.max(1, watched) })
      const look = (step: number, { weights }: Trainer) =>
        Effect.gen(function* () {
          const params = yield* engine.allocate(yield* weights)
          const small = signedBatch(pixels, images.size, from)
          const made = signedBytes(yield* sample(params, small, split(key, "watch")))
          const rows = [
            signedBytes(small).map((each) => enlarged(each, from, to)),
            made,
            signedBytes(signedBatch(pixels, images.size, to)),
          ]
          yield* showImages({
            title: "held-out images made large",
            step,
            size: [to, to],
            columns: watched,
            tiles: rows.flat().map((each) => ({ pixels: each })),
            rowNames: ["small", "made large", "image"],
          })
        }).pipe(Effect.scoped)

      const trained = yield* fit<BadData | EngineError | ShapeMismatch, Stage>({
        ...training,
        initial: initParams(training.objective.paramSpecs, split(key, "parameters")),
        batch: batchAt,
        amount: batch,
        unit: "images",
        ...(watched === 0 ? {} : { watch: { every: watch.every, look } }),
      })
      return { ...network, params: renamed(trained, "upsampler.", "") }
    }),
})

/** Stage: a decoder learns to make images of CLIP's embeddings of them. */
import {
  artifact,
  type BadData,
  defineStageNode,
  Engine,
  type EngineError,
  initParams,
  objectiveOf,
  random,
  Stage,
  spec,
  split,
} from "@millrace/core"
import { drawKeeps, takeRows } from "@millrace/models"
import { Effect } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { embeddingsKind } from "../artifacts/embeddings.js"
import { imageDecoderKind } from "../artifacts/imageDecoder.js"
import { fit } from "../fit.js"
import { showImages } from "../images/showImages.js"
import { renamed } from "../parameters.js"
import { spread } from "../spread.js"
import { type Trainer, type Training, trainingOf } from "../trainer.js"
import { captionedRows, drawTimes } from "./captionedRows.js"
import { captionInputs } from "./captionInputs.js"
import { DecoderStageConfig, decoderConfigOf } from "./decoderConfig.js"
import { compileDecoder, forDecoder } from "./decoderSampler.js"
import { decoderTraining } from "./objectives.js"
import { signedBatch, signedBytes } from "./signedImages.js"

const trainingFor = (config: DecoderStageConfig, joint: number, vocab: number): Training => {
  const { model, batch, fit: training, diffusion, loss } = config
  const { size } = model.unet
  const [images, flags] = [spec("float32", [batch, size, size, 3]), spec("float32", [batch])]
  return {
    objective: objectiveOf(decoderTraining(decoderConfigOf(model, joint, vocab), diffusion, loss)),
    inputs: {
      image: images,
      noise: images,
      time: spec("int32", [batch]),
      tokens: spec("int32", [batch, model.text.context]),
      mask: spec("float32", [batch, model.text.context]),
      keepCaption: flags,
      embedding: spec("float32", [batch, joint]),
      keepEmbedding: flags,
    },
    config: training,
  }
}

export const decoderStage = defineStageNode({
  type: "dalle2.decoder",
  version: 1,
  source: "Ramesh et al. 2022, section 2.1: embeddings are left out in a tenth, captions in half of all examples",
  config: DecoderStageConfig,
  ports: {
    in: {
      images: artifact(captionedImagesKind),
      embeddings: artifact(embeddingsKind),
      clip: artifact(clipModelKind),
    },
    out: artifact(imageDecoderKind),
  },
  outline: (config, { size }) => {
    const [joint, vocab] = [size("embeddings", "joint"), size("clip", "vocab")]
    return {
      sizes: { side: config.model.unet.size },
      functions: { step: () => trainingOf(trainingFor(config, joint, vocab)) },
    }
  },
  run: (config, { images, embeddings: { train, heldOut }, clip: { tokenizer } }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const engine = yield* Engine
      const { model, batch, diffusion, drops, watch } = config
      const side = model.unet.size
      const joint = train.image.shape[1] ?? 0
      const training = trainingFor(config, joint, tokenizer.size)
      const network = { config: decoderConfigOf(model, joint, tokenizer.size), diffusion, tokenizer }

      const given = forDecoder(train.image)
      const batchAt = (step: number) =>
        Effect.gen(function* () {
          const { images: rows, captions } = captionedRows(train, batch, key, step)
          const own = (name: string) => split(split(key, name), step)
          const read = yield* images.train.read(rows.map((row) => train.indices[row]!))
          const keeps = drawKeeps(own("drops"), batch, drops)
          const { text, mask } = captionInputs(
            tokenizer,
            captions.map((at) => train.captions[at]!),
            model.text.context,
          )
          return {
            image: signedBatch(
              read.map(({ pixels }) => pixels),
              images.size,
              side,
            ),
            noise: random.normal(own("noise"), [batch, side, side, 3]),
            time: drawTimes(own("times"), batch, diffusion.schedule.steps),
            tokens: text,
            mask,
            keepCaption: keeps.caption,
            embedding: takeRows(given, rows),
            keepEmbedding: keeps.embedding,
          }
        })

      const shown = spread(heldOut.indices.length, watch.images)
      const watched = shown.length
      const embedding = takeRows(heldOut.image, shown)
      const captions = shown.map((i) => heldOut.captions[heldOut.first[i]!]!)
      const sample = yield* compileDecoder(network, { ...watch, eta: 0, batch: Math.max(1, watched) })
      const look = (step: number, { weights }: Trainer) =>
        Effect.gen(function* () {
          const params = yield* engine.allocate(yield* weights)
          const made = yield* sample(params, { embedding }, split(key, "watch"))
          yield* showImages({
            title: "held-out embeddings decoded",
            step,
            size: [side, side],
            columns: Math.min(8, watched),
            tiles: signedBytes(made).map((pixels, i) => ({ pixels, text: captions[i]! })),
          })
        }).pipe(Effect.scoped)

      const trained = yield* fit<BadData | EngineError, Stage>({
        ...training,
        initial: initParams(training.objective.paramSpecs, split(key, "parameters")),
        batch: batchAt,
        amount: batch,
        unit: "images",
        ...(watched === 0 ? {} : { watch: { every: watch.every, look } }),
      })
      return { ...network, params: renamed(trained, "decoder.", "") }
    }),
})

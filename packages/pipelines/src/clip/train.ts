/** Stage: a CLIP learns which caption belongs to which image. */
import {
  artifact,
  BadConfig,
  defineStageNode,
  Engine,
  initParams,
  objectiveOf,
  Stage,
  type State,
  spec,
  split,
} from "@millrace/core"
import { type ClipConfig, clipTraining, ResNetConfig, VitConfig } from "@millrace/models"
import { Effect, Schema } from "effect"
import { type CaptionedImages, captionedImagesKind } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { fit } from "../fit.js"
import { Count } from "../ranges.js"
import { FitConfig, type Trainer, type Training, trainingOf } from "../trainer.js"
import { AugmentConfig } from "./augment.js"
import { clipBatch } from "./batches.js"
import { type ClipEmbedder, clipTowers } from "./embedder.js"
import { clipHalves } from "./halves.js"
import { withStatistics } from "./statistics.js"
import { ClipWatch, clipWatcher } from "./watch.js"

/** Images and texts that are embedded at a time when a look is taken. */
const EMBEDDED = 64

/** A CLIP's shape without its vocabulary, which the tokenizer decides. */
export const ClipShape = Schema.Struct({
  /** The width of the space that both towers end in. */
  joint: Count,
  image: Schema.Union([VitConfig, ResNetConfig]),
  text: Schema.Struct({
    /** Tokens of the longest caption; a longer one is cut. */
    context: Count,
    width: Count,
    layers: Count,
    heads: Count,
  }),
})
export type ClipShape = typeof ClipShape.Type

const withVocabulary = ({ text, ...shape }: ClipShape, vocab: number): ClipConfig => ({
  ...shape,
  text: { ...text, vocab },
})

/**
 * How a CLIP is trained.
 * @param part  examples in the engine at a time, where the batch is taken in parts
 */
export const clipTrainingOf = (config: ClipConfig, batch: number, fit: FitConfig, part?: number): Training => ({
  objective: objectiveOf(clipTraining(config)),
  inputs: {
    pixels: spec("float32", [batch, config.image.size, config.image.size, 3]),
    tokens: spec("int32", [batch, config.text.context]),
  },
  config: fit,
  ...(part === undefined
    ? {}
    : {
        parts: {
          objective: clipHalves(config),
          size: part,
          features: { images: spec("float32", [batch, config.joint]), texts: spec("float32", [batch, config.joint]) },
        },
      }),
})

const checkImages = ({ image }: ClipShape, { size, train }: CaptionedImages): Effect.Effect<void, BadConfig> => {
  if (size === image.size && train.count > 1) return Effect.void
  return new BadConfig({
    where: "clip.train > images",
    expected: `at least 2 images of ${image.size} × ${image.size} pixels, the model's size`,
    received: `${train.count} of ${size} × ${size}`,
    fix: size === image.size ? "give more images" : `give the model image.size ${size}, or make the images that large`,
  })
}

/**
 * A look at the weights that training has given so far.
 * @param weights  where these are put for the embedder
 */
const watched = (
  watch: ClipWatch,
  images: CaptionedImages,
  weights: State,
  embedderOf: (params: State) => ClipEmbedder,
) => {
  const { look, gathered } = clipWatcher(watch, images)
  const embedder = embedderOf(weights)
  return {
    every: watch.every,
    gathered,
    look: (step: number, trainer: Trainer) =>
      Effect.gen(function* () {
        // Before the first step there is nothing to average.
        yield* weights.write(yield* trainer.weights)
        yield* look(embedder, step)
      }),
  }
}

export const clipTrainStage = defineStageNode({
  type: "clip.train",
  version: 1,
  source: "Radford et al. 2021, section 2",
  config: Schema.Struct({
    model: ClipShape,
    /** Images with a caption each a step, all compared with all. */
    batch: Count,
    /**
     * Images in the engine at a time: gradient caching, by which a batch of any size takes the memory of so many. It divides
     * the batch; by default the batch is taken as one. A ResNet norms each part by itself.
     */
    part: Schema.optionalKey(Count),
    augment: AugmentConfig,
    fit: FitConfig,
    watch: Schema.optionalKey(ClipWatch),
  }),
  ports: {
    in: { images: artifact(captionedImagesKind), tokenizer: artifact(tokenizerKind) },
    out: artifact(clipModelKind),
  },
  outline: ({ model, batch, part = batch, fit: training }, { size }) => {
    const config = withVocabulary(model, size("tokenizer", "vocab"))
    return {
      sizes: { joint: config.joint, vocab: config.text.vocab, context: config.text.context, size: config.image.size },
      functions: { [part === batch ? "step" : "part"]: () => trainingOf(clipTrainingOf(config, part, training)) },
    }
  },
  run: ({ model, batch, part, augment, fit: training, watch }, { images, tokenizer }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const { allocate } = yield* Engine
      yield* checkImages(model, images)
      const config = withVocabulary(model, tokenizer.size)
      const { size } = config.image
      const { context } = config.text
      const step = clipTrainingOf(config, batch, training, part)
      const batches = { set: images.train, size, tokenizer, context, batch, augment }
      const initial = initParams(step.objective.paramSpecs, split(key, "parameters"))
      const watching =
        watch === undefined
          ? {}
          : {
              watch: watched(watch, images, yield* allocate(initial), yield* clipTowers(config, tokenizer, EMBEDDED)),
            }
      const params = yield* fit({
        ...step,
        initial,
        batch: (step) => clipBatch(batches, split(key, "batches"), step),
        amount: batch,
        unit: "images",
        ...watching,
      })
      const measured = { ...batches, batch: part ?? batch }
      return yield* withStatistics({ config, params, tokenizer }, measured.batch, (i) =>
        Effect.map(clipBatch(measured, split(key, "statistics"), i), ({ pixels }) => pixels!),
      )
    }),
})

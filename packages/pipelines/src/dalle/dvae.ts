/** Stage: a discrete VAE learns to write images as codes. */
import {
  artifact,
  BadConfig,
  type BadData,
  defineStageNode,
  Engine,
  type EngineError,
  float32,
  random,
  Stage,
  split,
} from "@millrace/core"
import { cosineRamp } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { fit } from "../fit.js"
import { imageBatch, pixelRanges } from "../images/pixels.js"
import { showImages } from "../images/showImages.js"
import { epochRows } from "../order.js"
import { Count } from "../ranges.js"
import { spread } from "../spread.js"
import { FitConfig, trainingOf } from "../trainer.js"
import { DvaeShape, initialOf, modelFor, trainingFor } from "./dvaeTraining.js"
import { Ramp } from "./ramp.js"
import { openReconstruction, type Reconstructed } from "./reconstruct.js"
import { reconstructionTable, reconstructionText } from "./reconstructionTable.js"

export const dvaeStage = defineStageNode({
  type: "dalle.dvae",
  version: 1,
  source: "Ramesh et al. 2021, section 2.1 and appendix A.2",
  config: Schema.Struct({
    model: DvaeShape,
    /** Images a step. Ramesh et al. 2021: 512. */
    batch: Count,
    /** τ of the relaxation. Ramesh et al. 2021: 1 to 1/16 in 150,000 of 3,000,000 updates. */
    temperature: Ramp,
    /** Weight of the KL term. Ramesh et al. 2021: 0 to 6.6 in 5,000 updates. */
    beta: Ramp,
    /** The least ln b of a pixel's distribution; none in Ramesh et al. 2021, whose images are photographs. */
    leastLogWidth: Schema.optionalKey(Schema.Finite),
    fit: FitConfig,
    watch: Schema.Struct({
      /** Steps from one look to the next. */
      every: Count,
      /** Held-out images that are shown beside their reconstructions. */
      images: Count,
    }),
    /** Images of each set that the codes are measured on in the end. */
    evaluate: Count,
  }),
  ports: { in: { images: artifact(captionedImagesKind) }, out: artifact(discreteVaeKind) },
  outline: ({ model, batch, leastLogWidth, fit: training }, { size }) => {
    const pixels = size("images", "size")
    const config = modelFor(model, pixels)
    return {
      sizes: { ...config, size: pixels },
      functions: { step: () => trainingOf(trainingFor(config, pixels, batch, leastLogWidth, training)) },
    }
  },
  run: ({ model: shape, batch, temperature, beta, leastLogWidth, fit: training, watch, evaluate }, { images }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const engine = yield* Engine
      const { size, train, heldOut, shifted } = images
      const model = modelFor(shape, size)
      if (!Number.isInteger(model.rows)) {
        return yield* new BadConfig({
          where: "dalle.dvae",
          expected: `images whose side is a multiple of ${2 ** (shape.groups - 1)}, for ${shape.groups} groups`,
          received: `images of ${size} · ${size} pixels`,
          fix: "resize the images, or give the model fewer groups",
        })
      }
      const places = model.rows * model.columns
      yield* emit({
        type: "stage.note",
        text: `${train.count} images of ${size} · ${size} pixels as ${model.rows} · ${model.columns} codes of ${model.vocab}; ${batch * training.steps} are seen`,
      })
      const step = trainingFor(model, size, batch, leastLogWidth, training)
      const looked = yield* heldOut.read(spread(heldOut.count, Math.max(64, watch.images)))
      const reconstruct = yield* openReconstruction(model, Math.min(64, Math.max(looked.length, evaluate)))
      const [order, noise] = [split(key, "order"), split(key, "noise")]
      const shown = Math.min(watch.images, looked.length)
      const initial = initialOf(step.objective.paramSpecs, model.vocab, split(key, "parameters"))
      const weights = yield* engine.allocate(initial)
      const trained = yield* fit<BadData | EngineError, Stage>({
        ...step,
        initial,
        batch: (at) =>
          Effect.map(train.read(epochRows(train.count, batch, order, at)), (rows) => ({
            image: imageBatch(
              pixelRanges.unit,
              rows.map(({ pixels }) => pixels),
              size,
            ),
            uniform: random.uniform(split(noise, at), [batch, places, model.vocab]),
            temperature: float32([], [cosineRamp(temperature, at)]),
            beta: float32([], [cosineRamp(beta, at)]),
          })),
        amount: batch,
        unit: "images",
        watch: {
          every: watch.every,
          look: (at, trainer) =>
            Effect.gen(function* () {
              yield* weights.write(yield* trainer.weights)
              const seen = yield* reconstruct(weights, looked)
              yield* showImages({
                title: "Reconstructions of held-out images",
                step: at,
                size: [size, size],
                columns: shown,
                tiles: [...looked.slice(0, shown), ...seen.decoded.slice(0, shown).map((pixels) => ({ pixels }))],
                rowNames: ["original", "reconstruction"],
              })
              yield* emit({ type: "stage.note", text: reconstructionText(at, seen, model.vocab) })
            }),
        },
      })
      yield* weights.write(trained)
      const sets: Array<readonly [string, Reconstructed]> = []
      for (const [name, set] of Object.entries({
        train,
        "held out": heldOut,
        ...(shifted === undefined ? {} : { shifted }),
      })) {
        const some = yield* set.read(spread(set.count, evaluate))
        sets.push([name, yield* reconstruct(weights, some)])
      }
      yield* emit({ type: "stage.table", ...reconstructionTable(sets, model.vocab) })
      return { config: model, params: trained }
    }),
})

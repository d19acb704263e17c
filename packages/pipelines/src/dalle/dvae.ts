/** Stage: a discrete VAE learns to write images as codes. */
import {
  artifact,
  BadConfig,
  type BadData,
  defineStageNode,
  Engine,
  type EngineError,
  float32,
  type HostTensors,
  initParams,
  type Key,
  type Objective,
  objectiveOf,
  random,
  Stage,
  spec,
  split,
} from "@millrace/core"
import { cosineRamp, type DvaeConfig } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { fit } from "../fit.js"
import { imageBatch, pixelRanges } from "../images/pixels.js"
import { showImages } from "../images/showImages.js"
import { epochRows } from "../order.js"
import { Count } from "../ranges.js"
import { spread } from "../spread.js"
import { interval, rounded } from "../statistics.js"
import { FitConfig, type Training, trainingOf } from "../trainer.js"
import { codebookUse, peakSignalToNoise } from "./codebook.js"
import { discreteCoding } from "./objectives.js"
import { Ramp } from "./ramp.js"
import { openReconstruction, type Reconstructed } from "./reconstruct.js"

/** A discrete VAE's shape without what the images decide. */
export const DvaeShape = Schema.Struct({ vocab: Count, groups: Count, blocks: Count, width: Count, first: Count })

/** The model for images of `size` pixels each way. */
const modelFor = (shape: typeof DvaeShape.Type, size: number): Omit<DvaeConfig, "channels"> => {
  const stride = 2 ** (shape.groups - 1)
  return { ...shape, rows: size / stride, columns: size / stride }
}

const trainingFor = (
  model: DvaeConfig,
  size: number,
  batch: number,
  least: number | undefined,
  config: FitConfig,
): Training => ({
  objective: objectiveOf(discreteCoding(model, least)),
  inputs: {
    image: spec("float32", [batch, size, size, 3]),
    uniform: spec("float32", [batch, model.rows * model.columns, model.vocab]),
    temperature: spec("float32", []),
    beta: spec("float32", []),
  },
  config,
})

const firstLayer = "decoder.input.weight"

/**
 * First values. Those of the decoder's first layer are √vocab times what is drawn by the rule of all layers, which is for inputs
 * that are all as large as one another: of the codes of a place all but one are 0.
 */
const initialOf = (specs: Objective["paramSpecs"], vocab: number, key: Key): HostTensors => {
  const drawn = initParams(specs, key)
  const { shape, data } = drawn[firstLayer]!
  const louder = Float32Array.from(data, (weight) => Math.sqrt(vocab) * weight)
  return { ...drawn, [firstLayer]: float32(shape, louder) }
}

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
              const { share, perplexity } = codebookUse(seen.codes, model.vocab)
              const decibel = interval(seen.errors.map(peakSignalToNoise)).mean
              yield* emit({
                type: "stage.note",
                text: `after ${at} steps ${decibel.toFixed(1)} dB on ${looked.length} held-out images, ${Math.round(share * model.vocab)} codes in use, perplexity ${perplexity.toFixed(1)}`,
              })
            }),
        },
      })
      yield* weights.write(trained)
      const rows: Array<ReadonlyArray<string | number>> = []
      for (const [name, set] of Object.entries({
        train,
        "held out": heldOut,
        ...(shifted === undefined ? {} : { shifted }),
      })) {
        const some = yield* set.read(spread(set.count, evaluate))
        rows.push(measured(name, yield* reconstruct(weights, some), model.vocab))
      }
      yield* emit({
        type: "stage.table",
        title: "Reconstruction",
        columns: ["images", "count", "PSNR, dB", "95 %", "squared error", "codes in use", "perplexity"],
        rows,
      })
      return { config: model, params: trained }
    }),
})

/** A row of the table: PSNR is the mean of the images' own. */
const measured = (name: string, { errors, codes }: Reconstructed, vocab: number) => {
  const { mean, low, high } = interval(errors.map(peakSignalToNoise))
  const { share, perplexity } = codebookUse(codes, vocab)
  return [
    name,
    errors.length,
    rounded(mean, 2),
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    rounded(errors.reduce((sum, error) => sum + error, 0) / errors.length, 5),
    `${Math.round(share * vocab)} of ${vocab}`,
    rounded(perplexity, 1),
  ]
}

/** Stage: a sparse transformer learns captions with the codes of their images. */
import { artifact, defineStageNode, Engine, initParams, objectiveOf, Stage, split } from "@millrace/core"
import type { SparseConfig } from "@millrace/models"
import { Effect, Schema } from "effect"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { imageCodesKind } from "../artifacts/imageCodes.js"
import { sparseTransformerKind } from "../artifacts/sparseTransformer.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { drawCaptions } from "../captions/drawCaptions.js"
import { fit } from "../fit.js"
import { epochRows } from "../order.js"
import { renamed } from "../parameters.js"
import { Count, Fraction } from "../ranges.js"
import { FitConfig, type Training, trainingOf } from "../trainer.js"
import { captionTokens } from "./captionTokens.js"
import { codedRows, codedSpecs } from "./codedRows.js"
import { tellHeldOutLoss } from "./heldOutLoss.js"
import { imagePrior } from "./objectives.js"
import { openPriorLook } from "./priorLook.js"

/** A sparse transformer's shape without what the tokenizer and the codes decide. */
export const SparseShape = Schema.Struct({
  /** Tokens of a caption; longer ones are cut. */
  text: Count,
  width: Count,
  layers: Count,
  heads: Count,
  kernel: Schema.optionalKey(Count),
})

const Pads = Schema.Literals(["counted", "ignored"])
type Pads = typeof Pads.Type

const trainingFor = (model: SparseConfig, batch: number, pads: Pads, config: FitConfig): Training => ({
  objective: objectiveOf(imagePrior(model, pads)),
  inputs: codedSpecs(model, batch),
  config,
})

export const priorStage = defineStageNode({
  type: "dalle.prior",
  version: 1,
  source: "Ramesh et al. 2021, section 2.2 and appendix B",
  config: Schema.Struct({
    model: SparseShape,
    /** Captions with their images a step. Ramesh et al. 2021: 1024. */
    batch: Count,
    /** Share of the merges of a caption's byte pairs that are left out. Ramesh et al. 2021: 0.1. */
    dropout: Fraction,
    /** Whether padding after a caption is predicted too. Unstated in Ramesh et al. 2021. */
    pads: Pads,
    fit: FitConfig,
    watch: Schema.Struct({
      /** Steps from one look to the next. */
      every: Count,
      /** Held-out captions of which an image is shown, always with the same random numbers. */
      captions: Count,
    }),
    /** Held-out images that the cross-entropies are measured on in the end. */
    evaluate: Count,
  }),
  ports: {
    in: { codes: artifact(imageCodesKind), dvae: artifact(discreteVaeKind), tokenizer: artifact(tokenizerKind) },
    out: artifact(sparseTransformerKind),
  },
  outline: ({ model, batch, pads, fit: training }, { size }) => {
    const config = {
      ...model,
      textVocab: size("tokenizer", "vocab"),
      imageVocab: size("codes", "imageVocab"),
      rows: size("codes", "rows"),
      columns: size("codes", "columns"),
    }
    return { sizes: config, functions: { step: () => trainingOf(trainingFor(config, batch, pads, training)) } }
  },
  run: ({ model: shape, batch, dropout, pads, fit: training, watch, evaluate }, { codes, dvae, tokenizer }) =>
    Effect.gen(function* () {
      const { key } = yield* Stage
      const engine = yield* Engine
      const { vocab: imageVocab, rows, columns, train, heldOut } = codes
      const model: SparseConfig = { ...shape, textVocab: tokenizer.size, imageVocab, rows, columns }
      const places = rows * columns
      const step = trainingFor(model, batch, pads, training)
      const order = split(key, "order")
      const look = yield* openPriorLook(model, heldOut, dvae, tokenizer, watch.captions, split(key, "look"))
      const initial = initParams(step.objective.paramSpecs, split(key, "parameters"))
      const weights = yield* engine.allocate(initial)
      const trained = yield* fit({
        ...step,
        initial,
        batch: (at) =>
          Effect.sync(() => {
            const here = split(split(key, "captions"), at)
            const images = epochRows(train.captions.length, batch, order, at)
            const counts = images.map((image) => train.captions[image]!.length)
            const drawn = drawCaptions(key, at, counts)
            return codedRows(model, train, images, (captions, i) => {
              const drop = dropout === 0 ? undefined : { rate: dropout, key: split(here, i) }
              return captionTokens(tokenizer, captions[drawn[i]!]!, model.text, drop)
            })
          }),
        amount: batch * (model.text + places),
        unit: "tokens",
        watch: {
          every: watch.every,
          look: (at, trainer) =>
            Effect.gen(function* () {
              yield* weights.write(yield* trainer.weights)
              yield* look(weights, at)
            }),
        },
      })
      yield* tellHeldOutLoss(model, step.objective, trained, heldOut, tokenizer, evaluate)
      return { config: model, params: renamed(trained, "logits.", "") }
    }),
})

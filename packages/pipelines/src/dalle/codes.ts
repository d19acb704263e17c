/**
 * Stage: every image as its most probable codes, 4 bytes a code in place of an image.
 * It has no checkpoints: a run that is stopped in it starts it over.
 */
import { artifact, defineStageNode, Engine, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"
import { captionedImagesKind, type ImageSet } from "../artifacts/captionedImages.js"
import { discreteVaeKind } from "../artifacts/discreteVae.js"
import { type CodedSet, type ImageCodes, imageCodesKind } from "../artifacts/imageCodes.js"
import { Count } from "../ranges.js"
import { openReconstruction } from "./reconstruct.js"

export const codesStage = defineStageNode({
  type: "dalle.codes",
  version: 1,
  source: "Ramesh et al. 2021, section 2.2: the largest logit, without noise",
  config: Schema.Struct({
    /** Images at a time: those alone are in memory. */
    batch: Count,
  }),
  ports: {
    in: { images: artifact(captionedImagesKind), dvae: artifact(discreteVaeKind) },
    out: artifact(imageCodesKind),
  },
  outline: (_, { size }) => ({
    sizes: {
      imageVocab: size("dvae", "vocab"),
      rows: size("dvae", "rows"),
      columns: size("dvae", "columns"),
    },
  }),
  run: ({ batch }, { images, dvae }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const engine = yield* Engine
      const { vocab, rows, columns } = dvae.config
      const params = yield* engine.allocate(dvae.params)
      const reconstruct = yield* openReconstruction(dvae.config, batch)
      const total = Math.ceil(images.train.count / batch) + Math.ceil(images.heldOut.count / batch)
      let done = 0
      const coded = ({ count, read }: ImageSet) =>
        Effect.gen(function* () {
          const codes = new Int32Array(count * rows * columns)
          const captions: Array<ReadonlyArray<string>> = []
          for (let from = 0; from < count; from += batch) {
            const part = yield* read(Array.from({ length: Math.min(batch, count - from) }, (_, i) => from + i))
            codes.set((yield* reconstruct(params, part)).codes, from * rows * columns)
            captions.push(...part.map((image) => image.captions))
            yield* emit({
              type: "stage.step",
              step: ++done,
              steps: total,
              values: {},
              amount: part.length,
              unit: "images",
            })
          }
          return { codes, captions } satisfies CodedSet
        })
      return {
        vocab,
        rows,
        columns,
        train: yield* coded(images.train),
        heldOut: yield* coded(images.heldOut),
      } satisfies ImageCodes
    }),
})

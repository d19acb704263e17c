/** Images through a discrete VAE and back, a fixed batch at a time. */
import { Engine, type EngineError, forward, objectiveOf, type State, spec } from "@millrace/core"
import type { DvaeConfig } from "@millrace/models"
import { Effect } from "effect"
import type { CaptionedImage } from "../artifacts/captionedImages.js"
import { imageBatch, imageBytes, pixelRanges } from "../images/pixels.js"
import { reconstruction } from "./objectives.js"

/** What became of some images. */
export interface Reconstructed {
  readonly images: ReadonlyArray<CaptionedImage>
  /** Row by row, a place of an image after the other. */
  readonly codes: Int32Array
  readonly decoded: ReadonlyArray<Uint8Array>
  /** Mean squared error of each image's numbers in [0, 1]. */
  readonly errors: ReadonlyArray<number>
}

/** Rows and columns of pixels of a model's images. */
export const imageSize = ({ rows, groups }: DvaeConfig): number => rows * 2 ** (groups - 1)

/**
 * Makes what takes images through a discrete VAE.
 * @param params  `encoder.…` and `decoder.…`, others beside them
 */
export const openReconstruction = (config: DvaeConfig, batch: number) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const size = imageSize(config)
    const program = yield* engine.compile(
      forward(objectiveOf(reconstruction(config)), { image: spec("float32", [batch, size, size, 3]) }),
    )
    return (params: State, images: ReadonlyArray<CaptionedImage>): Effect.Effect<Reconstructed, EngineError> =>
      Effect.gen(function* () {
        const places = config.rows * config.columns
        const codes = new Int32Array(images.length * places)
        const decoded: Array<Uint8Array> = []
        const errors: Array<number> = []
        for (let from = 0; from < images.length; from += batch) {
          const part = images.slice(from, from + batch)
          const out = yield* program.run({
            state: { params },
            inputs: {
              image: imageBatch(
                pixelRanges.unit,
                part.map(({ pixels }) => pixels),
                size,
                batch,
              ),
            },
          })
          codes.set(out.codes!.data.subarray(0, part.length * places), from * places)
          decoded.push(...imageBytes(pixelRanges.unit, out.decoded!, part.length))
          errors.push(...out.error!.data.subarray(0, part.length))
        }
        return { images, codes, decoded, errors }
      })
  })

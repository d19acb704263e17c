/** Codes as images, a fixed batch at a time. */
import { Engine, type EngineError, forward, int32, objectiveOf, type State, spec } from "@millrace/core"
import type { DvaeConfig } from "@millrace/models"
import { Effect } from "effect"
import { imageBytes, pixelRanges } from "../images/pixels.js"
import { decoding } from "./objectives.js"

/**
 * Makes what decodes rows of codes, with parameters under the names that training gives them.
 * @returns  pixels of each row, y x c in bytes
 */
export const openDecoder = (config: DvaeConfig, batch: number) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const places = config.rows * config.columns
    const program = yield* engine.compile(
      forward(objectiveOf(decoding(config)), { codes: spec("int32", [batch, places]) }),
    )
    return (params: State, codes: Int32Array): Effect.Effect<ReadonlyArray<Uint8Array>, EngineError> =>
      Effect.gen(function* () {
        const images: Array<Uint8Array> = []
        const count = codes.length / places
        for (let from = 0; from < count; from += batch) {
          const part = codes.subarray(from * places, (from + batch) * places)
          const rows = new Int32Array(batch * places)
          rows.set(part)
          const out = yield* program.run({ state: { params }, inputs: { codes: int32([batch, places], rows) } })
          images.push(...imageBytes(pixelRanges.unit, out.decoded!, part.length / places))
        }
        return images
      })
  })

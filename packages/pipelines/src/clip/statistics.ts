/** What a ResNet that has trained with the moments of each batch needs to infer. */
import { type CompileError, Engine, type EngineError, type HostTensor } from "@millrace/core"
import { type ClipConfig, clipMoments, populationStatistics } from "@millrace/models"
import { Effect } from "effect"
import type { ClipModel } from "../artifacts/clipModel.js"

/** Batches that statistics are the means of. */
const BATCHES = 8

/**
 * The model with running statistics, measured on batches with the finished weights; a vision transformer as it is.
 * @param pixels  the images of a batch, `batch` of them
 */
export const withStatistics = <E, R>(
  model: ClipModel,
  batch: number,
  pixels: (index: number) => Effect.Effect<HostTensor, E, R>,
): Effect.Effect<ClipModel, CompileError | EngineError | E, Engine | R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { config, params } = model
      if (config.image.kind === "vit") return model
      const { allocate, compile } = yield* Engine
      const moments = yield* compile(clipMoments(config, batch))
      const state = { params: yield* allocate(params) }
      const indices = Array.from({ length: BATCHES }, (_, i) => i)
      const found = yield* Effect.forEach(indices, (i) =>
        Effect.flatMap(pixels(i), (images) => moments.run({ state, inputs: { pixels: images } })),
      )
      const inferring: ClipConfig = { ...config, image: { ...config.image, norm: "running" } }
      return { ...model, config: inferring, params: { ...params, ...populationStatistics(found) } }
    }),
  )

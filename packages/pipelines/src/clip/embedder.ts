/** A CLIP that embeds any number of images and texts on the engine, a fixed batch at a time. */
import {
  type CompileError,
  Engine,
  type EngineError,
  forward,
  graph,
  type HostTensors,
  objectiveOf,
  ShapeMismatch,
  type State,
  spec,
  tensor,
} from "@millrace/core"
import { type ClipConfig, clip, type Tokenizer } from "@millrace/models"
import { Effect, type Scope } from "effect"
import type { ClipModel } from "../artifacts/clipModel.js"
import { captionRows } from "../captions/rows.js"
import { imageBatch, pixelRanges } from "../images/pixels.js"

/** Features of length 1, row by row: float32 n j. */
export interface ClipEmbedder {
  /** The width of a feature. */
  readonly joint: number
  /**
   * Images of the model's size, each y x c in bytes.
   * @fails ShapeMismatch  an image of another size
   */
  readonly images: (pixels: ReadonlyArray<Uint8Array>) => Effect.Effect<Float32Array, EngineError>
  readonly texts: (captions: ReadonlyArray<string>) => Effect.Effect<Float32Array, EngineError>
}

/** Image -> its feature; parameters under their names in `clipParams`. */
export const imageEmbedding = (config: ClipConfig) =>
  graph("clip-image", { pixels: tensor("float32", "b y x c", "clip") })
    .node("image", clip.image(config), { image: "pixels" })
    .output({ features: "image" })

/** Tokens -> the feature of each text; parameters under their names in `clipParams`. */
export const textEmbedding = (config: ClipConfig) =>
  graph("clip-text", { tokens: tensor("int32", "b t", "token") })
    .node("text", clip.text(config), { tokens: "tokens" })
    .output({ features: "text" })

/** The items of a part, and its first ones again up to `batch`: rows of the same kind, for a norm that sees the batch. */
const filled = <Item>(part: ReadonlyArray<Item>, batch: number): ReadonlyArray<Item> =>
  Array.from({ length: batch }, (_, i) => part[i % part.length]!)

const checkSize = (pixels: ReadonlyArray<Uint8Array>, size: number): Effect.Effect<void, ShapeMismatch> => {
  const odd = pixels.find(({ length }) => length !== size * size * 3)
  return odd === undefined
    ? Effect.void
    : new ShapeMismatch({
        where: "clip > images",
        expected: `images of ${size} × ${size} pixels of 3 bytes: ${size * size * 3} bytes`,
        received: `one of ${odd.length} bytes`,
        fix: "resize the images to the model's size",
      })
}

/**
 * The towers, compiled: an embedder for any parameters that are in the engine, such as those of a trainer, whose present
 * values it always uses. They are all of `clipParams`.
 * @param batch  images or texts a call of the engine
 */
export const clipTowers = (
  config: ClipConfig,
  tokenizer: Tokenizer,
  batch: number,
): Effect.Effect<(params: State) => ClipEmbedder, CompileError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const { compile } = yield* Engine
    const { image, text, joint } = config
    const shape = [batch, image.size, image.size, 3]
    const imageTower = yield* compile(forward(objectiveOf(imageEmbedding(config)), { pixels: spec("float32", shape) }))
    const textTower = yield* compile(
      forward(objectiveOf(textEmbedding(config)), { tokens: spec("int32", [batch, text.context]) }),
    )
    const inParts = <Item>(
      items: ReadonlyArray<Item>,
      embed: (part: ReadonlyArray<Item>) => Effect.Effect<HostTensors, EngineError>,
    ) =>
      Effect.gen(function* () {
        const features = new Float32Array(items.length * joint)
        for (let from = 0; from < items.length; from += batch) {
          const part = items.slice(from, from + batch)
          const { data } = (yield* embed(filled(part, batch))).features!
          for (let i = 0; i < part.length * joint; i++) features[from * joint + i] = data[i]!
        }
        return features
      })
    return (params) => ({
      joint,
      images: (pixels) =>
        Effect.andThen(
          checkSize(pixels, image.size),
          inParts(pixels, (part) =>
            imageTower.run({
              state: { params },
              inputs: { pixels: imageBatch(pixelRanges.clip, part, image.size) },
            }),
          ),
        ),
      texts: (captions) =>
        inParts(captions, (part) =>
          textTower.run({ state: { params }, inputs: { tokens: captionRows(tokenizer, part, text.context) } }),
        ),
    })
  })

/**
 * An embedder of a trained CLIP. It lives as long as the scope.
 * @param batch  images or texts a call of the engine
 */
export const clipEmbedder = (
  { config, params, tokenizer }: ClipModel,
  batch = 64,
): Effect.Effect<ClipEmbedder, CompileError | EngineError, Engine | Scope.Scope> =>
  Effect.gen(function* () {
    const { allocate } = yield* Engine
    const embedderOf = yield* clipTowers(config, tokenizer, batch)
    return embedderOf(yield* allocate(params))
  })

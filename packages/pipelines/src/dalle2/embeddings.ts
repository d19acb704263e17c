/**
 * Stage: CLIP's embeddings of images and captions, computed once. CLIP does not learn from here on.
 * It has no checkpoints: a run that is stopped in it starts it over.
 */
import {
  artifact,
  type BadData,
  defineStageNode,
  type EngineError,
  float32,
  type Key,
  random,
  Stage,
  split,
} from "@millrace/core"
import { Effect, Schema } from "effect"
import { captionedImagesKind, type ImageSet } from "../artifacts/captionedImages.js"
import { clipModelKind } from "../artifacts/clipModel.js"
import { type EmbeddedSet, embeddingsKind } from "../artifacts/embeddings.js"
import { type ClipEmbedder, clipEmbedder } from "../clip/embedder.js"
import { Count } from "../ranges.js"
import { distinctImages } from "./distinctImages.js"

/** Images in memory at a time. */
const PART = 256

/** So many of a set's images, drawn by chance and then in their order; all where there are no more. */
const chosen = (key: Key, count: number, wanted: number): Int32Array =>
  wanted >= count
    ? Int32Array.from({ length: count }, (_, i) => i)
    : random.permutation(key, count).slice(0, wanted).sort()

const embedded = (
  set: ImageSet,
  indices: Int32Array,
  clip: ClipEmbedder,
): Effect.Effect<EmbeddedSet, BadData | EngineError> =>
  Effect.gen(function* () {
    const [n, c] = [indices.length, clip.joint]
    const image = new Float32Array(n * c)
    const texts: Array<Float32Array> = []
    const captions: Array<string> = []
    const first = new Int32Array(n + 1)
    for (let from = 0; from < n; from += PART) {
      const images = yield* set.read([...indices.subarray(from, from + PART)])
      image.set(yield* clip.images(images.map(({ pixels }) => pixels)), from * c)
      for (const [i, each] of images.entries()) {
        captions.push(...each.captions)
        first[from + i + 1] = captions.length
      }
      texts.push(yield* clip.texts(images.flatMap((each) => each.captions)))
    }
    const text = new Float32Array(captions.length * c)
    let at = 0
    for (const part of texts) {
      text.set(part, at)
      at += part.length
    }
    return { indices, image: float32([n, c], image), captions, text: float32([captions.length, c], text), first }
  })

export const embeddingsStage = defineStageNode({
  type: "dalle2.embeddings",
  version: 2,
  source: "Ramesh et al. 2022, section 2: CLIP is frozen while the prior and the decoder are trained",
  config: Schema.Struct({
    /** Images of each set at most, drawn by chance; of those held out the copies are left out then. */
    train: Count,
    heldOut: Count,
  }),
  ports: {
    in: { images: artifact(captionedImagesKind), clip: artifact(clipModelKind) },
    out: artifact(embeddingsKind),
  },
  outline: (_, { size }) => ({ sizes: { joint: size("clip", "joint") } }),
  run: (config, { images, clip }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const embedder = yield* clipEmbedder(clip)
      const of = (name: "train" | "heldOut") => chosen(split(key, name), images[name].count, config[name])
      const train = yield* embedded(images.train, of("train"), embedder)
      const drawn = of("heldOut")
      const heldOut = yield* embedded(images.heldOut, yield* distinctImages(images.heldOut, drawn), embedder)
      const captions = new Set(Array.from(heldOut.indices, (_, row) => heldOut.captions[heldOut.first[row]!]!))
      const seen = new Set(train.captions.filter((caption) => captions.has(caption)))
      yield* emit({
        type: "stage.note",
        text: `${train.indices.length} images with ${train.captions.length} captions to learn from; ${heldOut.indices.length} with ${heldOut.captions.length} held out, ${drawn.length - heldOut.indices.length} copies of them left out; of the ${captions.size} different first captions of these train has ${seen.size}`,
      })
      return { train, heldOut }
    }),
})

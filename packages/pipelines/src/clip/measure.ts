/** How well a CLIP knows a set of images: zero-shot classification and retrieval both ways. */
import type { BadData, EngineError } from "@millrace/core"
import { Effect } from "effect"
import type { CaptionedImage, ImageSet } from "../artifacts/captionedImages.js"
import { share } from "../share.js"
import { spread } from "../spread.js"
import type { Interval } from "../statistics.js"
import type { ClipEmbedder } from "./embedder.js"
import { ensembleOf, type Features, ranksOf } from "./ranks.js"

/** One measure: how often the right one is among the first k. */
export interface Measure {
  readonly name: string
  readonly at: number
  readonly share: Interval
  /** What a guess would have. */
  readonly chance: number
  /** Among how many the right one is looked for. */
  readonly among: number
}

export interface Measured {
  readonly images: ReadonlyArray<CaptionedImage>
  /** Of the images, and of the first caption of each. */
  readonly imageFeatures: Features
  readonly captionFeatures: Features
  readonly measures: ReadonlyArray<Measure>
}

/** Measures from the places of the right ones, 0 where it is the first. */
export const measuresOf = (name: string, ranks: ReadonlyArray<number>, among: number, ats: ReadonlyArray<number>) =>
  ats.map((at): Measure => {
    const hits = ranks.filter((rank) => rank < at).length
    return { name, at, share: share(hits, ranks.length), chance: Math.min(1, at / among), among }
  })

/** The texts of classes: each name in each template, as one feature a class. */
export const classFeatures = (
  { texts, joint }: ClipEmbedder,
  classes: ReadonlyArray<string>,
  templates: ReadonlyArray<string>,
): Effect.Effect<Features, EngineError> =>
  Effect.map(
    Effect.forEach(templates, (template) => texts(classes.map((name) => template.replaceAll("{}", name)))),
    (prompts) => ensembleOf(prompts.map((data) => ({ joint, data }))),
  )

/**
 * A CLIP on a set.
 * @param most       images that are looked at, evenly from the set
 * @param templates  prompts of a class, `{}` in the place of its name; their ensemble classifies
 */
export const measureSet = (
  embedder: ClipEmbedder,
  set: ImageSet,
  most: number,
  templates: ReadonlyArray<string>,
): Effect.Effect<Measured, EngineError | BadData> =>
  Effect.gen(function* () {
    const { joint } = embedder
    const images = yield* set.read(spread(set.count, most))
    const imageFeatures = { joint, data: yield* embedder.images(images.map(({ pixels }) => pixels)) }
    const captionFeatures = { joint, data: yield* embedder.texts(images.map(({ captions }) => captions[0]!)) }
    const same = images.map((_, i) => i)
    const measures = [
      ...measuresOf("text of image", ranksOf(imageFeatures, captionFeatures, same), images.length, [1, 5]),
      ...measuresOf("image of text", ranksOf(captionFeatures, imageFeatures, same), images.length, [1, 5]),
    ]
    const own = images.flatMap((image) => (image.class === undefined ? [] : [image.class]))
    if (own.length === images.length && set.classes.length > 0) {
      const classes = yield* classFeatures(embedder, set.classes, templates)
      measures.unshift(...measuresOf("zero-shot", ranksOf(imageFeatures, classes, own), set.classes.length, [1, 5]))
    }
    return { images, imageFeatures, captionFeatures, measures }
  })

/** Emoji with their names: train and held-out concepts by Google's artists, the train concepts again by Twitter's. */
import { artifact, BadLength, defineStageNode, jsonHash, random, Stage } from "@millrace/core"
import { captionedImagesKind, type ImageSet, recent, squareOf } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { captionsOf, conceptNames, type EmojiTemplate, emojiTemplates, toneOf } from "./emojiCaptions.js"
import { type Artist, type Emoji, type EmojiData, type EmojiPackages, emojiData, emojiPackages } from "./emojiData.js"
import { npmFiles } from "./npmFiles.js"

const templateNames = Object.keys(emojiTemplates) as ReadonlyArray<EmojiTemplate>

interface Concept {
  readonly emoji: Emoji
  readonly name: string
}

interface Drawing {
  readonly image: string
  readonly captions: ReadonlyArray<string>
  readonly class: number
  readonly facts: Readonly<Record<string, string>>
}

/** Drawn images are kept up to this many bytes: all of them, at 64 × 64. */
const KEPT = 64e6

const WHITE = [255, 255, 255] as const

const drawingsOf = (
  concepts: ReadonlyArray<Concept>,
  templates: ReadonlyArray<EmojiTemplate>,
  withTones: boolean,
): ReadonlyArray<Drawing> =>
  concepts.flatMap(({ emoji, name }, i) => {
    const { category, subcategory } = emoji
    const drawing = (image: string, tone?: string): Drawing => ({
      image,
      captions: captionsOf(emoji, name, templates, tone),
      class: i,
      facts: { category, subcategory, ...(tone === undefined ? {} : { tone }) },
    })
    const variants = withTones ? Object.entries(emoji.skin_variations ?? {}) : []
    return [drawing(emoji.image), ...variants.map(([codes, { image }]) => drawing(image, toneOf(codes)))]
  })

const setOf = (
  data: EmojiData,
  integrity: string,
  size: number,
  concepts: ReadonlyArray<Concept>,
  drawings: ReadonlyArray<Drawing>,
): ImageSet => {
  const kept = recent(KEPT)
  return {
    count: drawings.length,
    classes: concepts.map(({ name }) => name),
    digest: jsonHash({ integrity, drawings: drawings.map(({ image, captions }) => [image, captions]) }),
    read: (indices) =>
      Effect.forEach(indices, (i) => {
        const { image, ...rest } = drawings[i]!
        const drawn = kept.get(i, () => Effect.map(data.sprite(image), (sprite) => squareOf(sprite, size, WHITE)))
        return Effect.map(drawn, (pixels) => ({ name: image.replace(/\.png$/, ""), pixels, ...rest }))
      }),
  }
}

/** The data set over some packages. */
export const emojiOf = (packages: EmojiPackages) =>
  defineStageNode({
    type: "emoji.images",
    version: 1,
    source: `${packages.google.source}; ${packages.twitter.source}`,
    config: Schema.Struct({
      /** Rows and columns of each image. The art has 64. */
      size: Schema.Int.check(Schema.isGreaterThan(0)),
      /** Share of the concepts that train shows nothing of. A concept is a base emoji; its skin tones go where it goes. */
      heldOut: Schema.Number.check(
        Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMinimum: true, exclusiveMaximum: true }),
      ),
      /** Which sets have the variants by skin tone, beside the base images. `shifted` has base images alone. */
      tones: Schema.Literals(["none", "train", "all"]),
      templates: Schema.NonEmptyArray(Schema.Literals(templateNames)),
      /** Whether the train concepts come again by Twitter's artists: 62 MB more to fetch. */
      shifted: Schema.Boolean,
    }),
    ports: { in: {}, out: artifact(captionedImagesKind) },
    outline: ({ size }) => ({ sizes: { size } }),
    data: ({ shifted }) =>
      Effect.gen(function* () {
        const artists: ReadonlyArray<Artist> = shifted ? ["google", "twitter"] : ["google"]
        const files = yield* Effect.forEach(artists, (artist) =>
          Effect.map(npmFiles(packages[artist]), (found) =>
            Object.entries(found).map(([name, bytes]) => [`${packages[artist].name}/${name}`, bytes] as const),
          ),
        )
        return Object.fromEntries(files.flat())
      }),
    run: ({ size, heldOut, tones, templates, shifted }) =>
      Effect.gen(function* () {
        const { key, emit } = yield* Stage
        const google = yield* emojiData("google", packages.google)
        const twitter = shifted ? yield* emojiData("twitter", packages.twitter) : undefined
        // Swatches of skin tones are parts of emoji, no emoji themselves.
        const drawn = google.emoji.filter(
          ({ has_img_google, has_img_twitter, category }) =>
            has_img_google && has_img_twitter && category !== "Component",
        )
        const names = conceptNames(drawn)
        const concepts = drawn.map((emoji, i) => ({ emoji, name: names[i]! }))
        const held = Math.round(heldOut * concepts.length)
        if (held < 1 || held >= concepts.length) {
          return yield* new BadLength({
            where: "emoji.images",
            expected: `a share that holds out 1 to ${concepts.length - 1} of ${concepts.length} concepts`,
            received: `heldOut ${heldOut}, ${held} concepts`,
            fix: "hold out another share",
          })
        }
        const apart = new Set(random.permutation(key, concepts.length).subarray(0, held))
        const seen = concepts.filter((_, i) => !apart.has(i))
        const unseen = concepts.filter((_, i) => apart.has(i))
        const set = (data: EmojiData, from: Artist, of: ReadonlyArray<Concept>, withTones: boolean) =>
          setOf(data, packages[from].integrity, size, of, drawingsOf(of, templates, withTones))
        const train = set(google, "google", seen, tones !== "none")
        const rest = set(google, "google", unseen, tones === "all")
        yield* emit({
          type: "stage.note",
          text: `${train.count} images of ${seen.length} concepts to learn from, ${unseen.length} concepts held out`,
        })
        return {
          source: shifted ? `${packages.google.source}; shifted: ${packages.twitter.source}` : packages.google.source,
          size,
          train,
          heldOut: rest,
          ...(twitter === undefined ? {} : { shifted: set(twitter, "twitter", seen, false) }),
        }
      }),
  })

export const emoji = emojiOf(emojiPackages)

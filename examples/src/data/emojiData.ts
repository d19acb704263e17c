/**
 * Emoji as two artists drew them: Google (Noto) and Twitter (Twemoji), 64 × 64 with transparency, with names.
 * Packages by Cal Henderson, whose names and categories follow Unicode's CLDR.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { BadData, type Stage } from "@millrace/core"
import { type Bitmap, decodeImage } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { type NpmTarball, npmTarball } from "./npmTarball.js"

export type Artist = "google" | "twitter"

/** A package of one artist's pictures, with the licence of the art. */
export interface EmojiPackage extends NpmTarball {
  readonly source: string
}

export type EmojiPackages = Readonly<Record<Artist, EmojiPackage>>

export const emojiPackages: EmojiPackages = {
  google: {
    name: "emoji-datasource-google",
    version: "16.0.0",
    integrity: "sha512-ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==",
    files: ["emoji.json", "img/google/64/"],
    megabytes: 74,
    source: "Noto Emoji by Google, Apache-2.0, emoji-datasource-google 16.0.0",
  },
  twitter: {
    name: "emoji-datasource-twitter",
    version: "16.0.0",
    integrity: "sha512-7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==",
    files: ["emoji.json", "img/twitter/64/"],
    megabytes: 62,
    source: "Twemoji by Twitter and other contributors, CC BY 4.0, emoji-datasource-twitter 16.0.0",
  },
}

const Emoji = Schema.Struct({
  name: Schema.String,
  unified: Schema.String,
  image: Schema.String,
  short_name: Schema.String,
  short_names: Schema.Array(Schema.String),
  category: Schema.String,
  subcategory: Schema.String,
  has_img_google: Schema.Boolean,
  has_img_twitter: Schema.Boolean,
  skin_variations: Schema.optional(Schema.Record(Schema.String, Schema.Struct({ image: Schema.String }))),
})

/** One emoji as the package tells of it, with its variants by skin tone. */
export type Emoji = typeof Emoji.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(Emoji))

export interface EmojiData {
  readonly emoji: ReadonlyArray<Emoji>
  /** The picture of a file that the list names. */
  readonly sprite: (image: string) => Effect.Effect<Bitmap, BadData>
}

/** The emoji of one artist. */
export const emojiData = (artist: Artist, tarball: EmojiPackage): Effect.Effect<EmojiData, BadData, Stage> =>
  Effect.gen(function* () {
    const folder = yield* npmTarball(tarball)
    const bad = (where: string, expected: string) => (cause: unknown) =>
      new BadData({
        where,
        expected,
        received: cause instanceof Error ? cause.message : String(cause),
        fix: `remove ${folder}, so that it is fetched anew`,
        cause,
      })
    const list = join(folder, "emoji.json")
    const emoji = yield* Effect.tryPromise(() => readFile(list, "utf8")).pipe(
      Effect.flatMap((text) => Effect.try(() => JSON.parse(text) as unknown)),
      Effect.flatMap(decode),
      Effect.mapError(bad(list, "the list of emoji")),
    )
    const sprite = (image: string) => {
      const file = join(folder, "img", artist, "64", image)
      return Effect.tryPromise({ try: () => readFile(file), catch: bad(file, "a picture") }).pipe(
        Effect.flatMap((bytes) => Effect.try({ try: () => decodeImage(bytes, file), catch: bad(file, "a picture") })),
      )
    }
    return { emoji, sprite }
  })

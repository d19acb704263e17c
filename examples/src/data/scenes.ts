/**
 * Synthetic scenes with exact captions, composed of real sprites: "a red apple", "a blue dog to the left of a green car".
 * Each image is a function of the stage's key and its index, so a set can have any number of them and none is stored.
 */
import { artifact, defineStageNode, jsonHash, type Key, Stage, split } from "@millrace/core"
import { type Bitmap, type CaptionedImage, captionedImagesKind, type ImageSet } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { type EmojiPackage, emojiData, emojiPackages } from "./emojiData.js"
import { npmFiles } from "./npmFiles.js"
import { sceneDrawer, spriteFiles } from "./sceneDrawing.js"
import { type Scene, type SceneChoices, sceneAt, type Thing, type Unseen, unseenOf } from "./scenePlan.js"
import { type SceneObject, sceneBackgrounds, sceneColours, sceneObjects, sceneRelations } from "./scenesWorld.js"

const objectNames = Object.keys(sceneObjects) as ReadonlyArray<SceneObject>

const Count = Schema.Int.check(Schema.isGreaterThan(0))

const phrase = ({ colour, object }: Thing): string => `${/^[aeiou]/.test(colour) ? "an" : "a"} ${colour} ${object}`

/** `a blue dog to the left of a green car` */
const captionOf = ({ first, second }: Scene): string =>
  second === undefined ? phrase(first) : `${phrase(first)} ${sceneRelations[second.relation]} ${phrase(second.thing)}`

const factsOf = ({ first, second, novel }: Scene): Readonly<Record<string, string>> => ({
  ...first,
  ...(second === undefined
    ? {}
    : { relation: second.relation, object2: second.thing.object, colour2: second.thing.colour }),
  ...(novel === undefined ? {} : { novel }),
})

const setOf = (
  integrity: string,
  key: Key,
  set: "train" | "heldOut",
  count: number,
  unseen: Unseen,
  choices: SceneChoices,
  draw: (scene: Scene) => Uint8Array,
): ImageSet => ({
  count,
  classes: [],
  digest: jsonHash({
    version: 1,
    sprites: integrity,
    world: [sceneObjects, sceneColours, sceneRelations, sceneBackgrounds],
    unseen: [[...unseen.coloursOf], [...unseen.pairs]],
    key: [key.hi, key.lo],
    set,
    count,
    choices: { ...choices },
  }),
  read: (indices) =>
    Effect.sync(() =>
      indices.map((i): CaptionedImage => {
        const scene = sceneAt(key, i, unseen, set, choices)
        return { name: `${set} ${i}`, pixels: draw(scene), captions: [captionOf(scene)], facts: factsOf(scene) }
      }),
    ),
})

/** The data set over some package. */
export const scenesOf = (sprites: EmojiPackage) =>
  defineStageNode({
    type: "scenes.images",
    version: 1,
    source: `synthetic scenes of sprites of ${sprites.source}`,
    config: Schema.Struct({
      /** Rows and columns of each image. */
      size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(16)),
      /** Images of each set. */
      train: Count,
      heldOut: Count,
      /** Which of the named objects there are; without it all of them. */
      objects: Schema.optional(
        Schema.Array(Schema.Literals(objectNames)).check(Schema.isMinLength(5), Schema.isUnique()),
      ),
      /** Colours that train never shows an object in, of each; without it one. */
      heldOutColours: Schema.optional(Schema.Literals([1, 2, 3, 4])),
      /** Share of images with one thing alone; the others have two. */
      single: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
      /** "light": white, or one of two light colours. */
      background: Schema.Literals(["white", "light"]),
    }),
    ports: { in: {}, out: artifact(captionedImagesKind) },
    outline: ({ size }) => ({ sizes: { size } }),
    data: () =>
      npmFiles(
        sprites,
        spriteFiles.map(([, file]) => `img/google/64/${file}.png`),
      ),
    run: ({ size, train, heldOut, objects, heldOutColours, single, background }) =>
      Effect.gen(function* () {
        const { key } = yield* Stage
        const google = yield* emojiData("google", sprites)
        const bitmaps = Object.fromEntries(
          yield* Effect.forEach(spriteFiles, ([name, file]) =>
            Effect.map(google.sprite(`${file}.png`), (sprite) => [name, sprite] as const),
          ),
        ) as Record<SceneObject, Bitmap>
        const unseen = unseenOf(split(key, "unseen"), objects, heldOutColours)
        const draw = sceneDrawer(bitmaps, size)
        const set = (name: "train" | "heldOut", count: number) =>
          setOf(sprites.integrity, split(key, name), name, count, unseen, { single, background }, draw)
        return {
          source: `synthetic scenes of sprites of ${sprites.source}`,
          size,
          train: set("train", train),
          heldOut: set("heldOut", heldOut),
        }
      }),
  })

export const scenes = scenesOf(emojiPackages.google)

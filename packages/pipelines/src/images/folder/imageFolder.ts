/** A folder of a user's own images with captions as a data set. */
import { realpathSync } from "node:fs"
import { basename, resolve } from "node:path"
import { artifact, BadData, BadLength, defineStageNode, messageOf, random, Stage, split } from "@millrace/core"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../../artifacts/captionedImages.js"
import { Count, Fraction, Positive } from "../../ranges.js"
import { defaultLimits } from "../limits.js"
import { captionSource, type Found } from "./captionSource.js"
import { folderSet } from "./folderSet.js"
import { refused } from "./plainFile.js"

const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))

export const ImageFolderConfig = Schema.Struct({
  /** The folder, from where the command runs. */
  path: Schema.NonEmptyString,
  /** Rows and columns of each image: the square in its middle, at this size. */
  size: Count,
  /** What shows through transparency: red, green, blue. */
  background: Schema.Tuple([Byte, Byte, Byte]),
  /** Share that train shows nothing of. Whether an image or class is held out depends on its name and the seed alone. */
  heldOut: Fraction,
  /** What is held out: images, or whole classes with all of their images. */
  by: Schema.Literals(["image", "class"]),
  /** A bad line, caption or image: left out and told of, or the end of the run. */
  bad: Schema.Literals(["skip", "fail"]),
  /**
   * How bad images are found before training: "structure" walks each file (a fault within compressed data then ends the
   * run when it is met), "pixels" decodes every image once.
   */
  check: Schema.Literals(["structure", "pixels"]),
  /** The largest image, in millions of pixels; 16 by default. */
  megapixels: Schema.optionalKey(Positive),
  /** The largest file, in MB; 64 by default. */
  megabytes: Schema.optionalKey(Positive),
})

/** How many bad files are named; the others are counted. */
const NAMED = 5

const next = (all: AsyncIterator<Found>, where: string) =>
  Effect.tryPromise({
    try: () => all.next(),
    catch: (error) =>
      error instanceof BadData ? error : refused(where, "a folder that can be read", messageOf(error), error),
  })

/**
 * PNG and JPEG with what captions.jsonl says of them, a line each: `{"file": "a.png", "caption": "a red apple"}`, with
 * `"captions": [ … ]` for several and `"class"` where they have one; or without such a file, images each with a text file
 * of its name beside it, a caption a line. Links are not followed, and nothing outside the folder is read.
 *
 * In memory are 20 bytes an image (and the names, where there are text files) and the images read last, up to 64 MB.
 */
export const imageFolder = defineStageNode({
  type: "images.folder",
  version: 1,
  config: ImageFolderConfig,
  ports: { in: {}, out: artifact(captionedImagesKind) },
  volatile: true,
  run: ({ path, size, background, heldOut, by, bad, check, megapixels, megabytes }) =>
    Effect.gen(function* () {
      const { key, emit } = yield* Stage
      const root = yield* Effect.tryPromise({
        try: async () => realpathSync.native(resolve(path)),
        catch: (error) =>
          new BadData({
            where: path,
            expected: "a folder of images",
            received: messageOf(error),
            fix: "give its path from where the command runs",
            cause: error,
          }),
      })
      const limits = {
        pixels: megapixels === undefined ? defaultLimits.pixels : megapixels * 1e6,
        bytes: megabytes === undefined ? defaultLimits.bytes : megabytes * 1e6,
      }
      const captions = yield* captionSource(root)
      const options = { root, size, background, check, limits }
      const [train, apart] = [folderSet(captions, options), folderSet(captions, options)]
      const isHeldOut = (name: string): boolean => random.draw(split(key, name), 0)[0] < heldOut * 2 ** 32

      const take = ({ where, line, ...place }: Found) =>
        Effect.gen(function* () {
          const read = yield* line
          const name = by === "image" ? read.file : read.class
          if (name === undefined) return yield* refused(where, "a class, to hold classes out", "none")
          yield* (isHeldOut(name) ? apart : train).add(place, read)
        })
      const left: Array<string> = []
      let skipped = 0
      let seen = 0
      const all = captions.all()[Symbol.asyncIterator]()
      yield* Effect.addFinalizer(() => Effect.promise(async () => all.return?.()))
      for (let found = yield* next(all, path); found.done !== true; found = yield* next(all, path)) {
        seen++
        const { where } = found.value
        yield* take(found.value).pipe(
          Effect.catch((error) => {
            if (bad === "fail") return Effect.fail(error)
            skipped++
            const at = error.where === where ? where : `${error.where} (${where})`
            if (left.length < NAMED) left.push(`${at}: ${error.received} in place of ${error.expected}`)
            return Effect.void
          }),
        )
      }
      if (skipped > 0) {
        const more = skipped > left.length ? `\nand ${skipped - left.length} more` : ""
        yield* emit({ type: "stage.note", text: `${skipped} of ${seen} left out:\n${left.join("\n")}${more}` })
      }
      const sets = { train: train.done(), heldOut: apart.done() }
      if (sets.train.count === 0 || sets.heldOut.count === 0) {
        return yield* new BadLength({
          where: path,
          expected: "images to learn from, and some to hold out",
          received: `${sets.train.count} and ${sets.heldOut.count}, of ${seen}${skipped > 0 ? `, ${skipped} left out` : ""}`,
          fix: "add images, or hold out another share",
        })
      }
      yield* emit({
        type: "stage.note",
        text: `${sets.train.count} images to learn from, ${sets.heldOut.count} held out`,
      })
      return { source: `images of a folder, ${basename(root)}`, size, ...sets }
    }),
})

/**
 * Images with captions, read when they are needed: what is in memory does not grow with how many there are.
 * Axes     y x image row and column, c channels red, green, blue
 */
import { artifactKind, type BadData, canonicalJson } from "@millrace/core"
import type { Effect } from "effect"

/** One image and what is said of it. */
export interface CaptionedImage {
  /** What it is called where it comes from: a file, a code point. */
  readonly name: string
  /** y x c, row by row, `size` each way, over a background: no transparency is left. */
  readonly pixels: Uint8Array
  /** At least one; training draws one of them a time. */
  readonly captions: ReadonlyArray<string>
  /** Its place in the set's `classes`, where it has any. */
  readonly class?: number
  /** What is known to be in it, by name: `{ colour: "red", object: "apple" }`. */
  readonly facts?: Readonly<Record<string, string>>
}

/** Part of a data set, read by index. */
export interface ImageSet {
  readonly count: number
  /** What its images show, one of these each; none where images have no class. */
  readonly classes: ReadonlyArray<string>
  /** The images at some indices, in their order. The same indices give the same images. */
  readonly read: (indices: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<CaptionedImage>, BadData>
  /** SHA-256 over what the images are made from: their files and captions. */
  readonly digest: string
}

export interface CaptionedImages {
  /** Where they come from, with version and licence. */
  readonly source: string
  /** Rows and columns of each image. */
  readonly size: number
  readonly train: ImageSet
  /** What `train` shows none of. */
  readonly heldOut: ImageSet
  /** What `train` shows, in another hand. */
  readonly shifted?: ImageSet
}

const entry = ({ count, classes, digest }: ImageSet) => ({ count, classes, digest })

/** The manifest alone is kept, not the images: its digests decide the artifact's, its source says where to get them. */
export const captionedImagesKind = artifactKind(
  "captioned-images",
  ({ source, size, train, heldOut, shifted }: CaptionedImages) => ({
    "images.json": new TextEncoder().encode(
      canonicalJson({
        source,
        size,
        train: entry(train),
        heldOut: entry(heldOut),
        ...(shifted === undefined ? {} : { shifted: entry(shifted) }),
      }),
    ),
  }),
)

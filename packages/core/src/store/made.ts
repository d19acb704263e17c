/** The record of what a stage made, under its key. */
import { Effect, Schema } from "effect"
import { BadData } from "../errors.js"
import { checkedJson, Sha256 } from "../files/checkedJson.js"

const FileNames = Schema.Record(Schema.String, Sha256)

export const KeyPartsJson = Schema.Struct({
  node: Schema.String,
  code: Schema.String,
  config: Schema.Unknown,
  inputs: Schema.Record(Schema.String, Schema.String),
  random: Schema.String,
  engine: Schema.String,
  instructions: Schema.String,
  millrace: Schema.String,
})

export const Made = Schema.Struct({
  key: Sha256,
  parts: KeyPartsJson,
  /** The run that made it, with its graph and the stage's path in it. */
  run: Schema.String,
  graph: Schema.String,
  stage: Schema.String,
  seconds: Schema.Finite,
  /** The most bytes that the run's processes held together while it ran, where the system told. */
  memory: Schema.optionalKey(Schema.Finite),
  outputs: Schema.Array(Schema.Struct({ port: Schema.String, kind: Schema.String, digest: Sha256, files: FileNames })),
  /** Images that it showed, and what it told. */
  images: Schema.Array(Schema.Struct({ name: Schema.String, files: FileNames })),
  events: Sha256,
})
export type Made = typeof Made.Type

const file = checkedJson(Made)

/** The record as a file that tells when a byte of it has changed. */
export const encodeMade = file.write

/** @fails BadData  anything but the record of this key as it was written */
export const decodeMade = (bytes: Uint8Array, key: string, where: string): Effect.Effect<Made, BadData> =>
  Effect.filterOrFail(
    file.read({ where, bytes }),
    (made) => made.key === key,
    (made) =>
      new BadData({
        where,
        expected: `the record of ${key}`,
        received: `the one of ${made.key}`,
        fix: "nothing: it is put aside and the stage runs again",
      }),
  )

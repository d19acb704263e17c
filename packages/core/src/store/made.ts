/** The record of what a stage made, under its key. */
import { Effect, Schema } from "effect"
import { sha256 } from "../artifact.js"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { canonicalJson, readJson } from "../json.js"

const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
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
  outputs: Schema.Array(Schema.Struct({ port: Schema.String, kind: Schema.String, digest: Sha256, files: FileNames })),
  /** Images that it showed, and what it told. */
  images: Schema.Array(Schema.Struct({ name: Schema.String, files: FileNames })),
  events: Sha256,
})
export type Made = typeof Made.Type

const Checked = Schema.Struct({ check: Sha256, made: Made })

/** The record as a file that tells when a byte of it has changed. */
export const encodeMade = (made: Made): string => `${canonicalJson({ check: sha256(canonicalJson(made)), made })}\n`

/** @fails BadData  anything but the record of this key as it was written */
export const decodeMade = (text: string, key: string, where: string): Effect.Effect<Made, BadData> =>
  Effect.gen(function* () {
    const refuse = (expected: string, received: string) =>
      new BadData({ where, expected, received, fix: "nothing: it is put aside and the stage runs again" })
    const json = yield* attempt(BadData, () => readJson(text, where))
    const { check, made } = yield* Schema.decodeUnknownEffect(Checked, { onExcessProperty: "error" })(json).pipe(
      Effect.mapError((error) => refuse("the record of what a stage made", error.message)),
    )
    const found = sha256(canonicalJson(made))
    if (found !== check) return yield* refuse(`a record with SHA-256 ${check}`, found)
    if (made.key !== key) return yield* refuse(`the record of ${key}`, `the one of ${made.key}`)
    if (encodeMade(made) !== text) return yield* refuse("a record as it was written", "the same in other words")
    return made
  })

/** What stands in the manifest of a checkpoint, which is written last: where it is, and its digests are right, the checkpoint is whole. */
import { type Effect, Schema } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { checkedJson, Sha256 } from "../files/checkedJson.js"

const Manifest = Schema.Struct({
  format: Schema.Literal("millrace-checkpoint-1"),
  /** Of the stage that it belongs to. */
  key: Schema.String,
  step: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  score: Schema.optionalKey(Schema.Finite),
  notes: Schema.Unknown,
  /** File name -> SHA-256. */
  files: Schema.Record(Schema.String.check(Schema.isPattern(/^[a-z]+\.safetensors$/)), Sha256),
})
export type Manifest = typeof Manifest.Type

const file = checkedJson(Manifest)

export const manifestName = "manifest.json"

/** The manifest as a file that tells when a byte of it has changed. @fails BadData notes that are not JSON */
export const encodeManifest = (manifest: Manifest): Effect.Effect<Uint8Array, BadData> =>
  attempt(BadData, () => file.write(manifest))

/** @fails BadData  anything but a manifest as it was written */
export const decodeManifest = (bytes: Uint8Array, where: string): Effect.Effect<Manifest, BadData> =>
  file.read({ where, bytes })

/** What stands in the manifest of a checkpoint, which is written last: where it is, and its digests are right, the checkpoint is whole. */
import { Effect, Schema } from "effect"
import { sha256 } from "../artifact.js"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { canonicalJson, parseJson } from "../json.js"

const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

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

const Checked = Schema.Struct({ check: Sha256, manifest: Manifest })

export const manifestName = "manifest.json"

/** The manifest as a file that tells when a byte of it has changed. @fails BadData notes that are not JSON */
export const encodeManifest = (manifest: Manifest): Effect.Effect<string, BadData> =>
  attempt(BadData, () => `${canonicalJson({ check: sha256(canonicalJson(manifest)), manifest })}\n`)

/** @fails BadData  anything but a manifest as it was written */
export const decodeManifest = (bytes: Uint8Array, where: string): Effect.Effect<Manifest, BadData> =>
  Effect.gen(function* () {
    const refuse = (received: string) =>
      new BadData({
        where,
        expected: "the manifest of a checkpoint, as it was written",
        received,
        fix: "nothing: the checkpoint before it is taken",
      })
    const text = new TextDecoder().decode(bytes)
    const json = yield* parseJson(text, where)
    const { check, manifest } = yield* Schema.decodeUnknownEffect(Checked, { onExcessProperty: "error" })(json).pipe(
      Effect.mapError((error) => refuse(error.message)),
    )
    const found = sha256(canonicalJson(manifest))
    if (found !== check) return yield* refuse(`SHA-256 ${found}, where it says ${check}`)
    return (yield* encodeManifest(manifest)) === text ? manifest : yield* refuse("the same in other words")
  })

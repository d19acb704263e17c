/** What an installed engine says of itself. */
import { join } from "node:path"
import { Effect, Schema } from "effect"
import { lookAt, readFile } from "../../disk/files.js"
import type { BadData, DiskFailed } from "../../errors.js"
import { checkedJson, Sha256 } from "../../files/checkedJson.js"
import { engineLayout } from "./nativeEngine.js"

export const Installed = Schema.Struct({
  form: Schema.Literal(1),
  /** `tfjs-node`. */
  name: Schema.String,
  /** Versions of the package and of TensorFlow. */
  tfjs: Schema.String,
  tensorflow: Schema.String,
  /** What the libraries were taken out of. */
  wheels: Schema.Array(Schema.Struct({ file: Schema.String, sha256: Sha256 })),
  /** Every file beside this one. */
  files: Schema.Array(Schema.Struct({ path: Schema.String, bytes: Schema.Int })),
})
export type Installed = typeof Installed.Type

export const installedForm = checkedJson(Installed)

/**
 * What is installed in a folder; null where nothing is.
 * @fails BadData  it says something else than what was written
 */
export const readInstalled = (folder: string): Effect.Effect<Installed | null, BadData | DiskFailed> =>
  Effect.gen(function* () {
    const path = join(folder, engineLayout.manifest)
    if ((yield* lookAt(path)) === undefined) return null
    return yield* installedForm.read({ where: path, bytes: yield* readFile(path) })
  })

/** The files of an installed engine that are not there, or not of their size. */
export const missingFiles = (folder: string, { files }: Installed): Effect.Effect<ReadonlyArray<string>, DiskFailed> =>
  Effect.map(
    Effect.forEach(files, ({ path, bytes }) =>
      Effect.map(lookAt(join(folder, path)), (entry) =>
        entry?.kind === "file" && entry.bytes === bytes ? [] : [path],
      ),
    ),
    (missing) => missing.flat(),
  )

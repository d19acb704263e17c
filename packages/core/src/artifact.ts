/** Artifacts: what stages hand to each other. A kind says how its values become files, and so what their digest is. */
import { createHash } from "node:crypto"
import type { Effect } from "effect"
import type { BadData } from "./errors.js"

/** Relative file name -> content. Names and bytes alone decide an artifact's digest. */
export type Files = Readonly<Record<string, Uint8Array>>

export interface ArtifactKind<K extends string, V> {
  readonly name: K
  /** The value as files; the same value gives the same bytes. */
  files(value: V): Files
  /**
   * The value of files that nobody vouches for. A kind whose files are a manifest alone has none: its stage makes the
   * value again.
   * @fails BadData  files that are not those of one value, in any way
   * @law            what is read is written again as the same files
   */
  readonly read?: (files: Files) => Effect.Effect<V, BadData>
}

/** A kind of artifact; without `read` its files are a manifest. */
export const artifactKind = <const K extends string, V>(
  name: K,
  files: (value: V) => Files,
  read?: (files: Files) => Effect.Effect<NoInfer<V>, BadData>,
): ArtifactKind<K, V> => ({ name, files, ...(read === undefined ? {} : { read }) })

/** SHA-256 in hex. */
export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

/** File name -> SHA-256 of its content. */
export type FileNames = Readonly<Record<string, string>>

/** The digest of an artifact: SHA-256 over the names and digests of its files, sorted by name. */
export const digestNames = (names: FileNames): string =>
  sha256(
    Object.entries(names)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, hash]) => `${hash}  ${name}\n`)
      .join(""),
  )

/** The digest of an artifact, from its files. */
export const digestFiles = (files: Files): string =>
  digestNames(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])))

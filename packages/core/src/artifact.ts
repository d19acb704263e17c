/** Artifacts: what stages hand to each other. A kind says how its values become files, and so what their digest is. */
import { createHash } from "node:crypto"

/** Relative file name -> content. Names and bytes alone decide an artifact's digest. */
export type Files = Readonly<Record<string, Uint8Array>>

export interface ArtifactKind<K extends string, V> {
  readonly name: K
  /** The value as files; the same value gives the same bytes. */
  files(value: V): Files
}

/** A kind of artifact. */
export const artifactKind = <const K extends string, V>(name: K, files: (value: V) => Files): ArtifactKind<K, V> => ({
  name,
  files,
})

/** SHA-256 in hex. */
export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

/** The digest of an artifact: SHA-256 over the names and digests of its files, sorted by name. */
export const digestFiles = (files: Files): string =>
  sha256(
    Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`)
      .join(""),
  )

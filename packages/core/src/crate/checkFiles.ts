/** Holds the files of a crate against its manifest and its metadata. */
import { type Files, sha256 } from "../artifact.js"
import { BadData } from "../errors.js"
import type { Entities } from "./entities.js"
import { fileId } from "./entity.js"
import { manifestOf, manifestPath, metadataPath } from "./parts.js"

const again = "get the crate again, as it was published"

const refusal = (where: string, expected: string, received: string): BadData =>
  new BadData({ where, expected, received, fix: again })

/** The first line of the manifest that is not as the files make it, by the file that it is of. */
const compareManifest = (files: Files): void => {
  const { [manifestPath]: manifest, ...others } = files
  if (manifest === undefined) throw refusal(manifestPath, "a file of the crate", "none")
  const told = new TextDecoder().decode(manifest)
  const made = manifestOf(others)
  if (told === made) return
  const lines = new Map(told.split("\n").map((line) => [line.slice(66), line.slice(0, 64)]))
  for (const [path, bytes] of Object.entries(others)) {
    const digest = lines.get(path)
    if (digest === undefined) throw refusal(path, "a file that the manifest names", "one that it does not")
    if (digest !== sha256(bytes)) throw refusal(path, `SHA-256 ${digest}, as the manifest tells`, sha256(bytes))
  }
  const missing = [...lines.keys()].find((path) => path !== "" && !Object.hasOwn(others, path))
  throw missing === undefined
    ? refusal(manifestPath, "a line for each file, in order", "other lines")
    : refusal(missing, "a file that the manifest names", "none")
}

/**
 * Every file is in the manifest and described by the metadata, with its size and digest, and nothing else is.
 * @throws BadData  `where` names the file
 */
export const checkFiles = (files: Files, entities: Entities): void => {
  compareManifest(files)
  for (const [path, bytes] of Object.entries(files)) {
    if (path === metadataPath || path === manifestPath) continue
    const entity = entities.find(fileId(path))
    if (entity === undefined) throw refusal(path, "a file that the metadata describe", "one that they do not")
    if (entity.sha256 !== sha256(bytes) || entity.contentSize !== String(bytes.length)) {
      throw refusal(path, `SHA-256 ${String(entity.sha256)}, as the metadata tell`, sha256(bytes))
    }
  }
  const there = new Set(Object.keys(files).map(fileId))
  const missing = entities.of("File").find((entity) => !there.has(entity["@id"]))
  if (missing !== undefined) throw refusal(missing["@id"], "a file of the crate, as the metadata tell", "none")
}

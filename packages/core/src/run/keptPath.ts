/** Where a file that a stage keeps is in the run folder. */
import { sha256 } from "../artifact.js"

/** Artifacts and what else a later run could read, or pictures for people. */
export type Shelf = "artifacts" | "images"

const longest = 120

/** One segment of a path for any name: what is no plain character is percent-encoded, and a long name ends in its hash. */
export const pathSegment = (name: string): string => {
  const plain = name
    .replace(/[^A-Za-z0-9._ @+=-]/gu, (character) => {
      // Half a pair has no bytes in UTF-8.
      if (/\p{Surrogate}/u.test(character)) return `%u${character.charCodeAt(0).toString(16)}`
      const bytes = [...new TextEncoder().encode(character)]
      return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")
    })
    .replace(/^\.+|[. ]+$/g, (ends) => [...ends].map((end) => (end === "." ? "%2E" : "%20")).join(""))
  if (plain === "") return "%00"
  return plain.length <= longest ? plain : `${plain.slice(0, longest)}-${sha256(name).slice(0, 16)}`
}

/**
 * The path inside the run folder, with `/` between its parts: `images/decoder/Samples/000500.png`.
 * @param file  the file's own name; it may contain folders
 */
export const keptPath = (
  { stage, name, folder = "artifacts" }: { readonly stage: string; readonly name: string; readonly folder?: Shelf },
  file: string,
): string => [folder, ...[stage, name, ...file.split("/")].map(pathSegment)].join("/")

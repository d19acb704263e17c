/** Names of files in an archive that is not trusted. */

const mostBytes = 1024
const mostParts = 32

/**
 * Why a name is none of a file inside a folder, on any system; null where it is one. What passes has neither a root, a
 * drive nor a way up, so joined to a folder it stays inside.
 */
export const whyNotEntryName = (name: string): string | null => {
  if (name === "") return "empty"
  if (new TextEncoder().encode(name).length > mostBytes) return `longer than ${mostBytes} bytes`
  if (/\p{Surrogate}/u.test(name) || name.includes("\uFFFD")) return "not UTF-8"
  if (name.normalize("NFC") !== name) return "not in normal form (NFC)"
  if (name.startsWith("/")) return "an absolute path"
  if (name.includes("\\")) return "with a backslash, which is a folder's end on Windows"
  if (/^[A-Za-z]:/.test(name)) return "with a drive"
  if (name.includes(":")) return "with a colon, which names a stream on Windows"
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001F\u007F]/.test(name)) return "with a control character"
  if (name.endsWith("/")) return "a folder's"
  const parts = name.split("/")
  if (parts.length > mostParts) return `deeper than ${mostParts} folders`
  for (const part of parts) {
    if (part === "") return "with an empty part"
    if (part === "__proto__") return "with a part __proto__"
    if (part === "." || part === "..") return `with a part ${JSON.stringify(part)}`
    if (/[. ]$/.test(part)) return "with a part that ends in a dot or a space, which Windows drops"
  }
  return null
}

/** What names of one file are on a system that does not tell upper case from lower. */
const folded = (name: string): string => name.toUpperCase().toLowerCase()

/** Two names that cannot both be files of one folder: the same but for case, or one the folder of the other. */
export const collisionIn = (names: Iterable<string>): readonly [string, string] | null => {
  const files = new Map<string, string>()
  for (const name of names) {
    const known = files.get(folded(name))
    if (known !== undefined) return [known, name]
    files.set(folded(name), name)
  }
  for (const name of files.values()) {
    const parts = folded(name).split("/")
    for (let i = 1; i < parts.length; i++) {
      const above = files.get(parts.slice(0, i).join("/"))
      if (above !== undefined) return [above, name]
    }
  }
  return null
}

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { BadData, type Files, messageOf } from "@millrace/core"
import { Effect } from "effect"
import { filesOf } from "./filesOf.js"

const require = createRequire(import.meta.url)

/**
 * Files of an installed package, by their paths in it.
 * @fails BadData  it is not installed, in another version, or lacks a file
 */
export const moduleFiles = (
  name: string,
  version: string,
  wanted: ReadonlyArray<string>,
): Effect.Effect<Files, BadData> => {
  const fix = `npm install ${name}@${version}`
  const bad = (received: string) =>
    new BadData({ where: name, expected: `${name} ${version}, as the run read it`, received, fix })
  return Effect.gen(function* () {
    const path = yield* Effect.try({
      try: () => require.resolve(`${name}/package.json`),
      catch: (cause) => bad(messageOf(cause).split("\n")[0] ?? ""),
    })
    const found: unknown = yield* Effect.try({
      try: () => JSON.parse(readFileSync(path, "utf8")),
      catch: (cause) => bad(messageOf(cause)),
    })
    const installed = typeof found === "object" && found !== null && "version" in found ? found.version : undefined
    if (installed !== version) return yield* bad(`version ${String(installed)}`)
    return yield* filesOf(dirname(path), wanted, fix)
  })
}

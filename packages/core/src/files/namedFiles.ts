/** The files of an artifact that is read: all that it has, and nothing else. */
import { Effect } from "effect"
import type { Files } from "../artifact.js"
import { BadData } from "../errors.js"
import { lines } from "../graph/lines.js"

/** One file of several. */
export interface NamedBytes {
  /** What errors call it: `language-model/config.json`. */
  readonly where: string
  readonly bytes: Uint8Array
}

/**
 * The named files.
 * @param where    what they are of, for errors
 * @fails BadData  every file that is missing, and every one that has no place here
 */
export const namedFiles = <const Name extends string>(
  files: Files,
  where: string,
  names: ReadonlyArray<Name>,
): Effect.Effect<{ readonly [_ in Name]: NamedBytes }, BadData> => {
  const missing = names.filter((name) => !Object.hasOwn(files, name))
  const wanted: ReadonlySet<string> = new Set(names)
  const strange = Object.keys(files).filter((name) => !wanted.has(name))
  if (missing.length + strange.length > 0) {
    return Effect.fail(
      new BadData({
        where,
        expected: names.length === 0 ? "no files" : `the files ${names.join(", ")}`,
        received: lines([
          ...missing.map((name) => `${name}: missing`),
          ...strange.map((name) => `${JSON.stringify(name)}: not one of them`),
        ]),
        fix: "give the files as they were written, all of them and no others",
      }),
    )
  }
  const found = names.map((name) => [name, { where: `${where}/${name}`, bytes: files[name]! }])
  return Effect.succeed(Object.fromEntries(found) as { readonly [_ in Name]: NamedBytes })
}

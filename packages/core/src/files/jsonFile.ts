/** Values as canonical JSON, one a file or one a line, and back from bytes that nobody vouches for. */
import { type Effect, Result } from "effect"
import { attempt } from "../attempt.js"
import { BadData } from "../errors.js"
import { type ConfigSchema, matchSchema } from "../graph/config.js"
import { canonicalJson, readJson } from "../json.js"
import type { NamedBytes } from "./namedFiles.js"

/** A form of file: the same value gives the same bytes, and what is read is written again as the same bytes. */
export interface FileForm<T> {
  readonly write: (value: T) => Uint8Array
  readonly read: (file: NamedBytes) => Effect.Effect<T, BadData>
}

const utf8 = new TextEncoder()

const textOf = ({ where, bytes }: NamedBytes): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new BadData({
      where,
      expected: "UTF-8",
      received: "other bytes",
      fix: "the file is damaged: write or download it again",
    })
  }
}

/** A value of one canonical text. @throws BadData */
const readText = <T, E>(schema: ConfigSchema<T, E>, text: string, where: string): T => {
  const json = readJson(text, where)
  const result = matchSchema(schema, json, "the value")
  if (Result.isFailure(result)) throw new BadData({ where, ...result.failure })
  const canonical = canonicalJson(json)
  if (canonical === text) return result.success
  let same = 0
  while (same < canonical.length && canonical[same] === text[same]) same++
  throw new BadData({
    where,
    expected: "canonical JSON (RFC 8785): one text for one value",
    received: `other text, from character ${same + 1} on`,
    fix: "give the file as it was written",
  })
}

/** A value as canonical JSON. */
export const jsonFile = <T, E>(schema: ConfigSchema<T, E>): FileForm<T> => ({
  write: (value) => utf8.encode(canonicalJson(value)),
  read: (file) => attempt(BadData, () => readText(schema, textOf(file), file.where)),
})

/** Values as canonical JSON, one a line. */
export const jsonLinesFile = <T, E>(schema: ConfigSchema<T, E>): FileForm<ReadonlyArray<T>> => ({
  write: (rows) => utf8.encode(rows.map((row) => `${canonicalJson(row)}\n`).join("")),
  read: (file) =>
    attempt(BadData, () => {
      const rows = textOf(file).split("\n")
      const rest = rows.pop()
      if (rest === "") return rows.map((row, i) => readText(schema, row, `${file.where}:${i + 1}`))
      throw new BadData({
        where: file.where,
        expected: "a line break after the last line",
        received: `${JSON.stringify(rest?.slice(-20))}, then the end`,
        fix: "the file was cut short: write or download it again",
      })
    }),
})

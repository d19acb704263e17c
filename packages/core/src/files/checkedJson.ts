/** A value as JSON that tells when any byte of it has changed. */
import { Effect, Schema } from "effect"
import { sha256 } from "../artifact.js"
import { BadData } from "../errors.js"
import type { ConfigSchema } from "../graph/config.js"
import { canonicalJson } from "../json.js"
import { type FileForm, jsonFile } from "./jsonFile.js"

/** SHA-256 in hex. */
export const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/** The value beside the digest of its canonical text. It is read only as it was written, to the last byte. */
export const checkedJson = <T, E>(schema: ConfigSchema<T, E>): FileForm<T> => {
  const file = jsonFile(Schema.Struct({ check: Sha256, value: schema }))
  return {
    write: (value) => file.write({ check: sha256(canonicalJson(value)), value }),
    read: (named) =>
      Effect.flatMap(file.read(named), ({ check, value }) => {
        const found = sha256(canonicalJson(value))
        return found === check
          ? Effect.succeed(value)
          : new BadData({
              where: named.where,
              expected: `a value with SHA-256 ${check}`,
              received: found,
              fix: "the file is damaged: it is made again",
            })
      }),
  }
}

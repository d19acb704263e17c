/** Hugging Face's folder layout: `config.json`, `model.safetensors`, `tokenizer.json`. */
import { BadData, decodeSafetensors, type Files, type HostTensors, type ParamSpec, parseJson } from "@millrace/core"
import { Effect, Schema } from "effect"
import { checkCheckpoint } from "./checkCheckpoint.js"
import { fromCheckpoint } from "./checkpoint.js"
import type { RenameTable } from "./renameTable.js"

const fileOf = (files: Files, name: string, where: string): Effect.Effect<Uint8Array, BadData> => {
  const bytes = files[name]
  if (bytes !== undefined) return Effect.succeed(bytes)
  return Effect.fail(
    new BadData({
      where,
      expected: `a file ${name}`,
      received: Object.keys(files).join(", ") || "no files",
      fix: "give the folder's files; pickled weights (pytorch_model.bin) are not read: save them as safetensors",
    }),
  )
}

/** A config as the JSON that it is. */
export type JsonRecord = Readonly<Record<string, unknown>>

export const isJsonRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A config of a folder: `config.json` unless another is named. */
export const readConfig = (files: Files, where: string, name = "config.json"): Effect.Effect<JsonRecord, BadData> =>
  Effect.gen(function* () {
    const bytes = yield* fileOf(files, name, where)
    const config = yield* parseJson(new TextDecoder().decode(bytes), `${where}/${name}`)
    if (isJsonRecord(config)) return config
    return yield* new BadData({
      where: `${where}/${name}`,
      expected: "a record",
      received: JSON.stringify(config).slice(0, 60),
      fix: "give the config that belongs to the weights",
    })
  })

/** A config of ours from what a folder's says. */
export const decodeConfig = <A>(
  schema: Schema.Codec<A, unknown>,
  value: unknown,
  keys: string,
  where: string,
): Effect.Effect<A, BadData> =>
  Schema.decodeUnknownEffect(schema, { errors: "all" })(value).pipe(
    Effect.mapError(
      (error) =>
        new BadData({
          where: `${where}/config.json`,
          expected: keys,
          received: String(error.message),
          fix: "give the config that belongs to the weights",
        }),
    ),
  )

/**
 * A model's parameters from the weights of a folder, compared with the model before they are read.
 * @param specs   the model's parameters by flat name
 * @param prefixOf  what the file leaves out before each name, by the names that it has
 */
export const readWeights = (
  files: Files,
  table: RenameTable,
  specs: Readonly<Record<string, ParamSpec>>,
  where: string,
  prefixOf: (names: ReadonlyArray<string>) => string = () => "",
): Effect.Effect<HostTensors, BadData> =>
  Effect.gen(function* () {
    const bytes = yield* fileOf(files, "model.safetensors", where)
    const place = `${where}/model.safetensors`
    let prefix = ""
    const { tensors } = yield* decodeSafetensors(bytes, place, (header) => {
      prefix = prefixOf(Object.keys(header))
      const named = Object.fromEntries(Object.entries(header).map(([name, spec]) => [prefix + name, spec]))
      return checkCheckpoint(table, specs, named, place).map((name) => name.slice(prefix.length))
    })
    const named = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]))
    return fromCheckpoint(table, specs, named, place)
  })

/**
 * Checks that a config says what the code does.
 * @fails BadData  every key that says something else
 */
export const expectConfig = (
  config: JsonRecord,
  wanted: JsonRecord,
  where: string,
  name = "config.json",
): Effect.Effect<void, BadData> => {
  const different = Object.entries(wanted).filter(
    ([key, value]) => config[key] !== undefined && JSON.stringify(config[key]) !== JSON.stringify(value),
  )
  if (different.length === 0) return Effect.void
  const show = (key: string, value: unknown): string => `${key}: ${JSON.stringify(value)}`
  return Effect.fail(
    new BadData({
      where: `${where}/${name}`,
      expected: different.map(([key, value]) => show(key, value)).join("\n"),
      received: different.map(([key]) => show(key, config[key])).join("\n"),
      fix: "these are another model's numbers: no setting of ours computes them",
    }),
  )
}

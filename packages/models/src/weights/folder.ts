/** Hugging Face's folder layout: `config.json`, `model.safetensors`, `tokenizer.json`. */
import { BadData, decodeSafetensors, type Files, type HostTensors, parseJson } from "@millrace/core"
import { Effect } from "effect"

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

/** The config of a folder, as the JSON that it is. */
export const readConfig = (files: Files, where: string): Effect.Effect<Readonly<Record<string, unknown>>, BadData> =>
  Effect.gen(function* () {
    const bytes = yield* fileOf(files, "config.json", where)
    const config = yield* parseJson(new TextDecoder().decode(bytes), `${where}/config.json`)
    if (typeof config === "object" && config !== null && !Array.isArray(config)) {
      return config as Readonly<Record<string, unknown>>
    }
    return yield* new BadData({
      where: `${where}/config.json`,
      expected: "a record",
      received: JSON.stringify(config).slice(0, 60),
      fix: "give the config that belongs to the weights",
    })
  })

/** The weights of a folder. */
export const readWeights = (files: Files, where: string): Effect.Effect<HostTensors, BadData> =>
  Effect.gen(function* () {
    const bytes = yield* fileOf(files, "model.safetensors", where)
    return (yield* decodeSafetensors(bytes, `${where}/model.safetensors`)).tensors
  })

/**
 * Checks that a config says what the code does.
 * @fails BadData  every key that says something else
 */
export const expectConfig = (
  config: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  where: string,
): Effect.Effect<void, BadData> => {
  const different = Object.entries(wanted).filter(
    ([key, value]) => config[key] !== undefined && JSON.stringify(config[key]) !== JSON.stringify(value),
  )
  if (different.length === 0) return Effect.void
  const show = (key: string, value: unknown): string => `${key}: ${JSON.stringify(value)}`
  return Effect.fail(
    new BadData({
      where: `${where}/config.json`,
      expected: different.map(([key, value]) => show(key, value)).join("\n"),
      received: different.map(([key]) => show(key, config[key])).join("\n"),
      fix: "these are another model's numbers: no setting of ours computes them",
    }),
  )
}

/** A model as two files: its config, and its parameters as safetensors. */
import {
  BadData,
  type ConfigSchema,
  encodeSafetensors,
  type Files,
  type HostTensors,
  jsonFile,
  type NamedBytes,
  type ParamSpec,
  readTensors,
} from "@millrace/core"
import { Effect } from "effect"

export interface ModelForm<C, E> {
  readonly config: ConfigSchema<C, E>
  /** Parameters by flat name. */
  readonly params: (config: C) => Readonly<Record<string, ParamSpec>>
  /**
   * How many parts the config makes of a number, such as layers: each has a tensor at least, so that a config of billions is
   * refused before they are counted out.
   */
  readonly parts: (config: C) => number
  /** Longer configs are refused, since checks may compare all with all: 64 KiB unless given. A few numbers take no more. */
  readonly configBytes?: number
}

export interface ModelFiles<C> {
  readonly names: readonly ["config.json", "model.safetensors"]
  readonly write: (config: C, params: HostTensors) => Files
  /** @fails BadData  another config than the schema takes; parameters that are not those of the config, all of them */
  readonly read: (files: {
    readonly "config.json": NamedBytes
    readonly "model.safetensors": NamedBytes
  }) => Effect.Effect<{ readonly config: C; readonly params: HostTensors }, BadData>
}

export const modelFiles = <C, E>({
  config: schema,
  params,
  parts,
  configBytes = 2 ** 16,
}: ModelForm<C, E>): ModelFiles<C> => {
  const form = jsonFile(schema)
  const expected = (config: C, count: number, where: string) => {
    if (parts(config) > count) {
      throw new BadData({
        where,
        expected: `tensors for ${parts(config)} layers or blocks, as the config says`,
        received: `${count} tensors`,
        fix: "give the file that belongs to the config",
      })
    }
    return Object.fromEntries(
      Object.entries(params(config)).map(([name, { shape }]) => [name, { dtype: "float32", shape } as const]),
    )
  }
  return {
    names: ["config.json", "model.safetensors"],
    write: (config, values) => ({ "config.json": form.write(config), "model.safetensors": encodeSafetensors(values) }),
    read: ({ "config.json": configFile, "model.safetensors": tensorsFile }) =>
      Effect.gen(function* () {
        const { where, bytes } = configFile
        if (bytes.length > configBytes) {
          return yield* new BadData({
            where,
            expected: `a config of at most ${configBytes} bytes`,
            received: `${bytes.length} bytes`,
            fix: "give the config that belongs to the weights",
          })
        }
        const config = yield* form.read(configFile)
        const { tensors } = yield* readTensors(tensorsFile, (count) => expected(config, count, tensorsFile.where))
        return { config, params: tensors }
      }),
  }
}

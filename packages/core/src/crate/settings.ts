/** Configs laid flat: each value under its path of keys, `fit.schedule.peak`. */

export type Setting = readonly [path: string, value: string | number | boolean]

/** Longer lists are one setting, as JSON. */
const longestList = 8

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

/** The settings of a config, in the order of their paths. */
export const settingsOf = (config: unknown, path = ""): ReadonlyArray<Setting> => {
  const under = (key: string): string => (path === "" ? key : `${path}.${key}`)
  if (isPlain(config)) return [[path === "" ? "value" : path, config]]
  if (isRecord(config)) {
    return Object.keys(config)
      .sort((a, b) => (a < b ? -1 : 1))
      .flatMap((key) => settingsOf(config[key], under(key)))
  }
  if (
    Array.isArray(config) &&
    config.length <= longestList &&
    config.every((item) => !isPlain(item) && item !== null)
  ) {
    return config.flatMap((item, i) => settingsOf(item, under(String(i))))
  }
  return config === undefined ? [] : [[path === "" ? "value" : path, JSON.stringify(config)]]
}

/** The settings of a graph file, laid flat. */
import { canonicalJson, type GraphJson } from "@millrace/core/definitions"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const leaves = (value: unknown, path: string): ReadonlyArray<readonly [string, string]> =>
  isRecord(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
    : [[path, typeof value === "string" ? value : canonicalJson(value ?? null)]]

/** Each value under its path, as `--set` takes it: `ppo.kl.beta`. */
export const settingLines = (graph: GraphJson, prefix = ""): ReadonlyArray<readonly [path: string, value: string]> =>
  graph.nodes.flatMap(({ name, config, graph: inner }) =>
    inner === undefined
      ? config === undefined
        ? []
        : leaves(config, prefix + name)
      : settingLines(inner, `${prefix}${name}.`),
  )

/** The settings of a graph file, laid flat. */
import { type GraphJson, leaves } from "@millrace/core/runs"

/** Each value under its path, as `--set` takes it: `ppo.kl.beta`. */
export const settingLines = (graph: GraphJson, prefix = ""): ReadonlyArray<readonly [path: string, value: string]> =>
  graph.nodes.flatMap(({ name, config, graph: inner }) => {
    if (inner !== undefined) return settingLines(inner, `${prefix}${name}.`)
    const path = prefix + name
    // A node without settings is no setting.
    return leaves(config, path).filter(([leaf]) => leaf !== path)
  })

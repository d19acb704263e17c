/** `--set node.key=value`: one value in one node's config, decoded by the node's own schema. */
import {
  BadConfig,
  decodeGraph,
  didYouMean,
  encodeGraph,
  type Graph,
  type GraphJson,
  type GraphNodeJson,
  isGraph,
  type Registry,
} from "@millrace/core/definitions"
import { Effect } from "effect"
import { type Ended, usage } from "./exit.js"

const wrong = (setting: string, expected: string, received: string, fix: string): Ended =>
  usage(new BadConfig({ where: `--set ${setting}`, expected, received, fix }))

/** A value as it is typed: JSON where it is JSON, else the text itself. */
const readValue = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The config with the value at a path of keys; every key but the last must be there. */
const withValue = (
  config: unknown,
  keys: ReadonlyArray<string>,
  value: unknown,
  setting: string,
): Effect.Effect<unknown, Ended> =>
  Effect.gen(function* () {
    const [key, ...rest] = keys
    if (key === undefined) return value
    if (!isRecord(config)) {
      return yield* wrong(
        setting,
        "a key inside a record",
        `"${key}" in a value that has no keys`,
        "name the value itself",
      )
    }
    // A key that is not there may be an optional one: the schema decides, and guesses what was meant.
    if (rest.length > 0 && !Object.hasOwn(config, key)) {
      return yield* wrong(setting, "a key of the node's config", `"${key}"`, didYouMean(key, Object.keys(config)))
    }
    const inner = Object.hasOwn(config, key) ? config[key] : undefined
    return { ...config, [key]: yield* withValue(inner, rest, value, setting) }
  })

/** The graph file with one setting. */
const apply = (
  json: GraphJson,
  path: ReadonlyArray<string>,
  value: unknown,
  setting: string,
): Effect.Effect<GraphJson, Ended> =>
  Effect.gen(function* () {
    const [name = "", ...keys] = path
    const node = json.nodes.find((one) => one.name === name)
    if (node === undefined) {
      const names = json.nodes.map((one) => one.name)
      return yield* wrong(setting, "a node of the graph", `"${name}"`, didYouMean(name, names))
    }
    if (keys.length === 0) {
      return yield* wrong(
        setting,
        "node.key=value",
        `the node "${name}" without a key`,
        `name one of its keys: ${keysOf(node.config)}`,
      )
    }
    const changed =
      node.graph === undefined
        ? { ...node, config: yield* withValue(node.config, keys, value, setting) }
        : { ...node, graph: yield* apply(node.graph, keys, value, setting) }
    return { ...json, nodes: json.nodes.map((one) => (one === node ? changed : one)) }
  })

const keysOf = (config: unknown): string => (isRecord(config) ? Object.keys(config).join(", ") : "it has none")

/** A last key that the config did not have before: an optional one, or, if the schema refuses it, a misspelt one. */
const misspelt = (json: GraphJson, setting: string): Ended | undefined => {
  let graph: GraphJson | undefined = json
  let config: unknown
  const keys = setting.slice(0, setting.indexOf("=")).split(".")
  const last = keys.pop() ?? ""
  for (const key of keys) {
    const node: GraphNodeJson | undefined = graph?.nodes.find(({ name }) => name === key)
    config = node === undefined && isRecord(config) ? config[key] : node?.config
    graph = node?.graph
  }
  if (!isRecord(config) || Object.hasOwn(config, last)) return undefined
  return wrong(setting, "a key of the node's config", `"${last}"`, didYouMean(last, Object.keys(config)))
}

/**
 * The graph with settings such as `ppo.kl.beta=0.1` or `outer.inner.steps=10`.
 * @fails Ended  2, with BadConfig: no such node or key, a value of another type, or a module without a registry
 */
export const withSettings = (
  graph: Graph,
  registry: Registry | undefined,
  settings: ReadonlyArray<string>,
): Effect.Effect<Graph, Ended> =>
  Effect.gen(function* () {
    if (settings.length === 0) return graph
    if (registry === undefined) {
      return yield* wrong(
        settings[0] ?? "",
        "a module that exports its node types as `registry`",
        "none",
        "add: export { registry }",
      )
    }
    const given = encodeGraph(graph)
    let json = given
    for (const setting of settings) {
      const split = setting.indexOf("=")
      const path = setting.slice(0, split).split(".")
      if (split < 1)
        return yield* wrong(setting, "node.key=value", `"${setting}"`, "put = between the key and its value")
      json = yield* apply(json, path, readValue(setting.slice(split + 1)), setting)
    }
    const changed = yield* decodeGraph(json, registry).pipe(
      Effect.mapError(
        (error) => settings.map((setting) => misspelt(given, setting)).find((found) => found) ?? usage(error),
      ),
    )
    return isGraph(changed) ? changed : graph
  })

/** Finds the graph that a command names: a built-in name, or a module whose default export is one. */
import { existsSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import {
  BadConfig,
  BadData,
  didYouMean,
  type Graph,
  isFailure,
  isGraph,
  messageOf,
  type Registry,
} from "@millrace/core/definitions"
import { Effect, Option } from "effect"
import { builtIn } from "./builtIn.js"
import { type Ended, invalid, usage } from "./exit.js"

export interface Loaded {
  readonly graph: Graph
  /** The node types that settings are decoded with, if the module exports them as `registry`. */
  readonly registry: Registry | undefined
}

/** Whether a graph is named by the path of its module. */
export const isPath = (name: string): boolean => /[./\\]/.test(name)

/** From the present folder first, so that a project's own version wins; then from where this package is installed. */
const resolveModule = (specifier: string): string | undefined => {
  for (const from of [join(process.cwd(), "from-here.js"), import.meta.url]) {
    try {
      return createRequire(from).resolve(specifier)
    } catch {}
  }
  return undefined
}

const missing = (_name: string, received: string, fix: string): Ended =>
  usage(new BadData({ where: "graph", expected: "a built-in graph or the path of a module", received, fix }))

const locate = (name: string): Effect.Effect<string, Ended> =>
  Effect.suspend(() => {
    if (!isPath(name)) {
      const specifier = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
      if (specifier === undefined) {
        const guess = didYouMean(name, Object.keys(builtIn))
        return Effect.fail(
          missing(name, `"${name}"`, `${guess}; a path has a slash or a dot in it, as ./${name}.js has`),
        )
      }
      const file = resolveModule(specifier)
      return file === undefined
        ? Effect.fail(
            missing(
              name,
              `${specifier}, which is not installed here`,
              `npm install ${specifier.split("/").slice(0, 2).join("/")}`,
            ),
          )
        : Effect.succeed(file)
    }
    const file = resolve(name)
    if (!existsSync(file) || !statSync(file).isFile()) {
      return Effect.fail(
        missing(
          name,
          `${file}, which is no file`,
          "check the path; a TypeScript module is named by what it compiles to",
        ),
      )
    }
    if (/\.[cm]?tsx?$/.test(file)) {
      return Effect.fail(missing(name, `${file}, which is TypeScript`, "compile it and name the .js file"))
    }
    return Effect.succeed(file)
  })

/** Errors of a definition are the graph's own; anything else that a module throws is told in its own words. */
const broken = (file: string, error: unknown): Ended =>
  invalid(
    isFailure(error)
      ? error
      : new BadConfig({
          where: file,
          expected: "a module that loads",
          received: messageOf(error),
          fix: "run it with node to see where it fails, or add --debug",
          cause: error,
        }),
  )

const graphOf = (value: unknown): value is Graph =>
  typeof value === "object" && value !== null && isGraph(value as Graph)

const registryOf = (value: unknown): Registry | undefined =>
  typeof value === "object" && value !== null && "types" in value && "find" in value ? (value as Registry) : undefined

/** What a module exports under the name of a preset, or by default. */
const exportOf = (
  file: string,
  module: Readonly<Record<string, unknown>>,
  preset: Option.Option<string>,
): Effect.Effect<unknown, Ended> =>
  Effect.suspend(() => {
    if (Option.isNone(preset)) return Effect.succeed(module.default)
    const presets = typeof module.presets === "object" && module.presets !== null ? module.presets : {}
    if (Object.hasOwn(presets, preset.value))
      return Effect.succeed(Object.entries(presets).find(([name]) => name === preset.value)![1])
    const names = Object.keys(presets)
    const expected = names.length === 0 ? "no preset: the module exports no `presets`" : `a preset of ${file}`
    const fix =
      names.length === 0
        ? "leave --preset out, or export presets: { small: () => graph }"
        : didYouMean(preset.value, names)
    return Effect.fail(usage(new BadConfig({ where: "preset", expected, received: `--preset ${preset.value}`, fix })))
  })

/**
 * The graph of a name or path. The default export is a graph, or a function (async or not) that gives one; so is each of
 * `presets`, by its name.
 * @fails Ended  2 where there is no such module or preset, 3 where it holds no graph or a wrong one
 */
export const loadGraph = (name: string, preset: Option.Option<string>): Effect.Effect<Loaded, Ended> =>
  Effect.gen(function* () {
    const file = yield* locate(name)
    const module = yield* Effect.tryPromise({
      try: async (): Promise<Readonly<Record<string, unknown>>> => import(pathToFileURL(file).href),
      catch: (error) => broken(file, error),
    })
    const given = yield* exportOf(file, module, preset)
    const graph = yield* Effect.tryPromise({
      try: async (): Promise<unknown> => (typeof given === "function" && !isNode(given) ? given() : given),
      catch: (error) => broken(file, error),
    })
    if (!graphOf(graph)) {
      return yield* invalid(
        new BadConfig({
          where: file,
          expected: "a graph, or a function that gives one, as the default export",
          received: given === undefined ? "no default export" : `a ${typeof graph}`,
          fix: 'end the module with: export default graph("name", {…}).node(…).output(…)',
        }),
      )
    }
    return { graph, registry: registryOf(module.registry) }
  })

const isNode = (value: object): boolean => "nodes" in value

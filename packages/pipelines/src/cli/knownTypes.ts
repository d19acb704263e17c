/** The node types that a published graph may name: those of modules that are given, and of the built-in graphs. */
import { type AnyNodeType, type Registry, registry, UnknownNode } from "@millrace/core/definitions"
import { Effect, Option, Result } from "effect"
import { builtIn } from "./builtIn.js"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"

/**
 * A registry that loads the built-in graphs one by one, and only until the asked type is found: loading takes longer than a
 * crate's checks.
 * @param modules  paths of modules that export their node types as `registry`; they win over built-in ones of the same name
 * @fails Ended  2 or 3: a module that is not there or does not load
 */
export const knownTypes = (modules: ReadonlyArray<string>): Effect.Effect<Registry, Ended> =>
  Effect.gen(function* () {
    const types = new Map<string, AnyNodeType>()
    const add = (found: Registry | undefined): void => {
      for (const type of found?.types ?? []) {
        const name = `${type.type}@${type.version}`
        if (!types.has(name)) types.set(name, type)
      }
    }
    for (const module of modules) add((yield* loadGraph(module, Option.none())).registry)
    const unloaded = Object.keys(builtIn)
    const find: Registry["find"] = (name, where) =>
      Effect.gen(function* () {
        while (!types.has(name)) {
          const next = unloaded.shift()
          if (next === undefined) break
          // One that is not installed has no types to give.
          const loaded = yield* Effect.result(loadGraph(next, Option.none()))
          if (Result.isSuccess(loaded)) add(loaded.success.registry)
        }
        return yield* registry([...types.values()]).find(name, where)
      }).pipe(
        Effect.mapError(
          (error) =>
            new UnknownNode({ ...error, fix: `name the module that exports it with --module\nor ${error.fix}` }),
        ),
      )
    return { types: [...types.values()], find }
  })

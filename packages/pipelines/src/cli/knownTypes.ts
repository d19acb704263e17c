/** The node types that a published graph may name: those of the built-in graphs, and of modules that are given. */
import { type AnyNodeType, type Registry, registry } from "@millrace/core/definitions"
import { Effect, Option, Result } from "effect"
import { builtIn } from "./builtIn.js"
import type { Ended } from "./exit.js"
import { loadGraph } from "./loadGraph.js"

/**
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
    for (const name of Object.keys(builtIn)) {
      // One that is not installed has no types to give.
      const loaded = yield* Effect.result(loadGraph(name, Option.none()))
      if (Result.isSuccess(loaded)) add(loaded.success.registry)
    }
    return registry([...types.values()])
  })

/** The node types that graph files may name. */
import { Effect } from "effect"
import { DuplicateNode, UnknownNode } from "./errors.js"
import type { Node, NodeType } from "./node.js"
import { didYouMean } from "./suggest.js"

/** A node type of any config. */
export type AnyNodeType = NodeType<never, Node>

export interface Registry {
  readonly types: ReadonlyArray<AnyNodeType>
  /** The type of a name such as `gpt.logits@1`. */
  readonly find: (name: string, where: string) => Effect.Effect<AnyNodeType, UnknownNode>
}

/**
 * A registry of node types. Join two with `registry([...a.types, ...b.types])`.
 * @throws DuplicateNode  two types of one name and version
 */
export const registry = (types: ReadonlyArray<AnyNodeType>): Registry => {
  const byName = new Map<string, AnyNodeType>()
  for (const type of types) {
    const name = `${type.type}@${type.version}`
    const known = byName.get(name)
    if (known !== undefined && known !== type) {
      throw new DuplicateNode({
        where: "registry",
        expected: "one definition for each type and version",
        received: `${name} twice`,
        fix: "raise the version of the newer one",
      })
    }
    byName.set(name, type)
  }
  return {
    types: [...byName.values()],
    find: (name, where) => {
      const type = byName.get(name)
      if (type !== undefined) return Effect.succeed(type)
      const versions = [...byName.keys()].filter((known) => known.split("@")[0] === name.split("@")[0])
      return Effect.fail(
        new UnknownNode({
          where,
          expected: "a node type of the registry, as type@version",
          received: JSON.stringify(name),
          fix:
            versions.length > 0
              ? `this version is not here: use ${versions.join(" or ")}, or a Millrace that has it`
              : didYouMean(name, [...byName.keys()]),
        }),
      )
    },
  }
}

/** What rules of a profile are made of: looking entities up, and saying of each what it lacks. */
import { type Entities, listOf, typesOf } from "./entities.js"
import type { Entity } from "./entity.js"
import { metadataPath } from "./parts.js"

/** What of it does not hold, a line each. */
export type Rule = (entities: Entities) => ReadonlyArray<string>

export const actions = ["CreateAction", "ActivateAction", "UpdateAction"]
export const tools = ["SoftwareApplication", "SoftwareSourceCode", "ComputationalWorkflow"]
export const isOf = (entity: Entity | undefined, types: ReadonlyArray<string>): boolean =>
  entity !== undefined && typesOf(entity).some((type) => types.includes(type))

const rootOf = (entities: Entities): Entity | undefined => {
  const descriptor = entities.find(metadataPath)
  return descriptor === undefined ? undefined : entities.find(entities.named(descriptor, "about")[0] ?? "")
}

/** Complains of those that do not hold, by their ids. */
export const each = (
  found: ReadonlyArray<Entity>,
  says: string,
  holds: (entity: Entity) => boolean,
): ReadonlyArray<string> => found.filter((entity) => !holds(entity)).map((entity) => `${entity["@id"]}: ${says}`)

/** A property of every such entity names some of the given types, and nothing else; at least one where `some`. */
export const names =
  (of: string | ReadonlyArray<string>, property: string, types: ReadonlyArray<string>, some: boolean): Rule =>
  (entities) =>
    each(
      [of].flat().flatMap(entities.of),
      `${property} names ${some ? "a" : "only a"} ${types.join(" or ")}`,
      (entity) => {
        const ids = entities.named(entity, property)
        return (
          ids.length === listOf(entity[property]).length &&
          ids.every((id) => isOf(entities.find(id), types)) &&
          (!some || ids.length > 0)
        )
      },
    )

export const has =
  (of: string, property: string): Rule =>
  (entities) =>
    each(entities.of(of), `has ${property}`, (entity) => listOf(entity[property]).length > 0)

export const root =
  (says: string, holds: (root: Entity, entities: Entities) => boolean): Rule =>
  (entities) => {
    const found = rootOf(entities)
    return found !== undefined && holds(found, entities) ? [] : [`./: ${says}`]
  }

export const text = (entity: Entity, property: string): boolean =>
  typeof entity[property] === "string" && entity[property] !== ""

/** A date, with a time or not, of ISO 8601. */
export const isoDate = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

export const claims = (root: Entity, entities: Entities, prefix: string): boolean =>
  entities.named(root, "conformsTo").some((id) => id.startsWith(prefix) && isOf(entities.find(id), ["CreativeWork"]))

export const main = (root: Entity, entities: Entities): Entity | undefined =>
  entities.find(entities.named(root, "mainEntity")[0] ?? "")

/** Tools: what a workflow says are its parts. */
export const toolsIn = (entities: Entities): ReadonlyArray<Entity> =>
  entities.of("ComputationalWorkflow").flatMap((workflow) =>
    entities.named(workflow, "hasPart").flatMap((id) => {
      const tool = entities.find(id)
      return tool !== undefined && isOf(tool, tools) ? [tool] : []
    }),
  )

/** Everything that the root has as a part, or a part of such. */
export const reachable = (entities: Entities): ReadonlySet<string> => {
  const seen = new Set<string>()
  const waiting = ["./"]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    const entity = entities.find(id)
    if (entity !== undefined) waiting.push(...entities.named(entity, "hasPart"))
  }
  return seen
}

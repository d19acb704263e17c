/** Looks things up in metadata that is not trusted: entities by id and type, and who names whom. */
import type { Entity, JsonValue } from "./entity.js"

export interface Entities {
  readonly all: ReadonlyArray<Entity>
  readonly find: (id: string) => Entity | undefined
  /** Everything that has a type. */
  readonly of: (type: string) => ReadonlyArray<Entity>
  /** The ids that a property names. */
  readonly named: (entity: Entity, property: string) => ReadonlyArray<string>
  /** The entities that name an id by a property. */
  readonly naming: (id: string, property: string) => ReadonlyArray<Entity>
}

const isRecord = (value: unknown): value is Readonly<Record<string, JsonValue>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const listOf = (value: JsonValue | undefined): ReadonlyArray<JsonValue> =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as JsonValue]

export const typesOf = (entity: Entity): ReadonlyArray<string> =>
  listOf(entity["@type"] as JsonValue).flatMap((type) => (typeof type === "string" ? [type] : []))

const idsIn = (value: JsonValue | undefined): ReadonlyArray<string> =>
  listOf(value).flatMap((one) => (isRecord(one) && typeof one["@id"] === "string" ? [one["@id"]] : []))

/** Whether a value is an entity: an id and types, all of whose properties are literals or references. */
const isEntity = (value: JsonValue): value is Entity => {
  if (!isRecord(value) || typeof value["@id"] !== "string" || value["@type"] === undefined) return false
  if (!listOf(value["@type"]).every((type) => typeof type === "string")) return false
  return Object.entries(value).every(
    ([name, property]) =>
      name === "@type" ||
      listOf(property).every((one) =>
        isRecord(one) ? Object.keys(one).length === 1 && typeof one["@id"] === "string" : !Array.isArray(one),
      ),
  )
}

const put = (lists: Map<string, Array<Entity>>, key: string, entity: Entity): void => {
  const known = lists.get(key)
  if (known === undefined) lists.set(key, [entity])
  else known.push(entity)
}

/** The entities of a document, or why it is none of flat entities. */
export const entitiesOf = (document: unknown): Entities | string => {
  if (!isRecord(document) || !Array.isArray(document["@graph"])) return "no @graph"
  const graph: ReadonlyArray<JsonValue> = document["@graph"]
  const all: Array<Entity> = []
  for (const [i, one] of graph.entries()) {
    if (!isEntity(one)) return `entity ${i + 1} of @graph is not flat, or has no @id or @type`
    all.push(one)
  }
  const byId = new Map(all.map((entity) => [entity["@id"], entity]))
  if (byId.size < all.length) return "two entities of one @id"
  const byType = new Map<string, Array<Entity>>()
  const inverse = new Map<string, Array<Entity>>()
  for (const entity of all) {
    for (const type of typesOf(entity)) put(byType, type, entity)
    for (const [name, value] of Object.entries(entity)) {
      for (const id of idsIn(value)) put(inverse, `${name}\n${id}`, entity)
    }
  }
  return {
    all,
    find: (id) => byId.get(id),
    of: (type) => byType.get(type) ?? [],
    named: (entity, property) => idsIn(entity[property]),
    naming: (id, property) => inverse.get(`${property}\n${id}`) ?? [],
  }
}

/** Entities of RO-Crate metadata: flat JSON-LD, each with an id and a type, that name each other by their ids. */

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<JsonValue>
  | { readonly [key: string]: JsonValue }

export interface Entity {
  readonly "@id": string
  readonly "@type": string | ReadonlyArray<string>
  readonly [property: string]: JsonValue
}

export interface Reference {
  readonly [key: string]: string
  readonly "@id": string
}

export const refer = (id: string): Reference => ({ "@id": id })

export const idsOf = (entities: ReadonlyArray<Entity>): ReadonlyArray<Reference> =>
  entities.map((entity) => refer(entity["@id"]))

/** Half a pair of surrogates has no bytes, and so no encoding. */
const encoded = (part: string): string => encodeURIComponent(part.replaceAll(/\p{Surrogate}/gu, "\uFFFD"))

/** The id of a file or folder of the crate: a relative URI. */
export const fileId = (path: string): string => path.split("/").map(encoded).join("/")

/** The id of something that is no file: `#stage/ppo`. */
export const localId = (...parts: ReadonlyArray<string>): string => `#${parts.map(encoded).join("/")}`

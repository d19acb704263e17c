/** What each scene shows: a function of a key and an index, within what train shows or what it never does. */
import { type Key, random, split } from "@millrace/core"
import {
  type SceneColour,
  type SceneObject,
  type SceneRelation,
  sceneBackgrounds,
  sceneColours,
  sceneObjects,
  sceneRelations,
} from "./scenesWorld.js"

export interface Thing {
  readonly colour: SceneColour
  readonly object: SceneObject
}

export interface Scene {
  readonly first: Thing
  /** None where there is one thing alone. */
  readonly second?: { readonly relation: SceneRelation; readonly thing: Thing }
  /** What train never shows of it, in held-out scenes. */
  readonly novel?: "colour" | "pair"
  /** Uniform in [0, 1), for sizes and places. */
  readonly jitter: Float32Array
  readonly background: keyof typeof sceneBackgrounds
}

const allObjects = Object.keys(sceneObjects) as ReadonlyArray<SceneObject>
const colours = Object.keys(sceneColours) as ReadonlyArray<SceneColour>
const relations = Object.keys(sceneRelations) as ReadonlyArray<SceneRelation>
const backgrounds = Object.keys(sceneBackgrounds) as ReadonlyArray<keyof typeof sceneBackgrounds>

const pairOf = (a: SceneObject, b: SceneObject): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** What train never shows. */
export interface Unseen {
  /** The objects that there are at all. */
  readonly objects: ReadonlyArray<SceneObject>
  /** Colours of each object, at least one; each colour is held out of equally many objects. */
  readonly coloursOf: ReadonlyMap<SceneObject, ReadonlyArray<SceneColour>>
  /** One of eight pairs of objects, as `apple car`: never together, whatever the colours. */
  readonly pairs: ReadonlySet<string>
  /** With what each object is never seen, and with what it is. */
  readonly apart: ReadonlyMap<SceneObject, ReadonlyArray<SceneObject>>
  readonly together: ReadonlyMap<SceneObject, ReadonlyArray<SceneObject>>
}

/** @param each  how many colours are held out of each object: at most half of all, far apart on the circle */
export const unseenOf = (key: Key, objects: ReadonlyArray<SceneObject> = allObjects, each = 1): Unseen => {
  const stride = Math.floor(colours.length / each)
  const order = random.shuffled(split(key, "colours"), objects)
  const all = objects.flatMap((a, i) => objects.slice(i + 1).map((b) => pairOf(a, b)))
  const pairs = new Set(random.shuffled(split(key, "pairs"), all).slice(0, Math.floor(all.length / 8)))
  const partners = (held: boolean) =>
    new Map(objects.map((a) => [a, objects.filter((b) => a !== b && pairs.has(pairOf(a, b)) === held)]))
  return {
    objects,
    coloursOf: new Map(
      order.map((object, i) => [
        object,
        Array.from({ length: each }, (_, j) => colours[(i + j * stride) % colours.length]!),
      ]),
    ),
    pairs,
    apart: partners(true),
    together: partners(false),
  }
}

export interface SceneChoices {
  /** Share of scenes with one thing alone. */
  readonly single: number
  readonly background: "white" | "light"
}

/**
 * Scene `index` of a set.
 *
 *   train    no object in a held-out colour of it, no held-out pair
 *   heldOut  one thing: in a held-out colour. Two: by halves, the first thing in a held-out colour and the rest as in
 *            train, or a held-out pair with colours as in train.
 */
export const sceneAt = (
  key: Key,
  index: number,
  unseen: Unseen,
  set: "train" | "heldOut",
  { single, background }: SceneChoices,
): Scene => {
  const draws = random.uniform(split(key, index), [14]).data
  let at = 0
  const draw = (): number => draws[at++]!
  const pick = <Item>(items: ReadonlyArray<Item>): Item => items[Math.floor(draw() * items.length)]!

  const alone = draw() < single
  const byColour = draw() < 0.5
  const novel: Scene["novel"] = set === "train" ? undefined : alone || byColour ? "colour" : "pair"
  const seenColour = (object: SceneObject): SceneColour =>
    pick(colours.filter((c) => !unseen.coloursOf.get(object)!.includes(c)))
  // A single colour is no choice, and takes no draw.
  const unseenColour = (object: SceneObject): SceneColour => {
    const held = unseen.coloursOf.get(object)!
    return held.length === 1 ? held[0]! : pick(held)
  }
  const partners = novel === "pair" ? unseen.apart : unseen.together

  const { objects } = unseen
  const object = pick(novel === "pair" ? objects.filter((o) => unseen.apart.get(o)!.length > 0) : objects)
  const scene: Scene = {
    first: { object, colour: novel === "colour" ? unseenColour(object) : seenColour(object) },
    background: background === "white" ? "white" : pick(backgrounds),
    jitter: draws.slice(8),
    ...(novel === undefined ? {} : { novel }),
  }
  if (alone) return scene
  const other = pick(partners.get(object)!)
  return { ...scene, second: { relation: pick(relations), thing: { object: other, colour: seenColour(other) } } }
}

/** What scenes are made of: named objects, named colours, named relations. */

/** Sprites that can be told apart at 16 × 16 in any colour, by their files. */
export const sceneObjects = {
  apple: "1f34e",
  banana: "1f34c",
  bell: "1f514",
  bird: "1f426",
  boat: "26f5",
  car: "1f697",
  cat: "1f431",
  crown: "1f451",
  dog: "1f436",
  fish: "1f41f",
  flower: "1f337",
  guitar: "1f3b8",
  hat: "1f3a9",
  heart: "2764-fe0f",
  house: "1f3e0",
  key: "1f511",
  leaf: "1f341",
  moon: "1f319",
  mushroom: "1f344",
  shirt: "1f455",
  shoe: "1f45f",
  star: "2b50",
  tree: "1f333",
  umbrella: "2602-fe0f",
} as const

export type SceneObject = keyof typeof sceneObjects

/** Objects that stay apart in what little time can teach. */
export const clearObjects = [
  "apple",
  "car",
  "fish",
  "heart",
  "house",
  "star",
  "tree",
  "umbrella",
] as const satisfies ReadonlyArray<SceneObject>

/** Red, green, blue, 0 to 255: the middle of each colour's shades. */
export const sceneColours = {
  red: [222, 36, 36],
  orange: [250, 140, 20],
  yellow: [245, 215, 30],
  green: [50, 165, 60],
  blue: [40, 95, 225],
  purple: [140, 60, 190],
  pink: [250, 135, 190],
  brown: [125, 75, 40],
} as const

export type SceneColour = keyof typeof sceneColours

/** How the first object lies to the second. */
export const sceneRelations = {
  left: "to the left of",
  right: "to the right of",
  above: "above",
  below: "below",
} as const

export type SceneRelation = keyof typeof sceneRelations

export const sceneBackgrounds = {
  white: [255, 255, 255],
  sand: [250, 240, 220],
  sky: [222, 238, 250],
} as const

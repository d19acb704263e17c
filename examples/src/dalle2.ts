/**
 * DALL·E 2 on scenes that are composed of real emoji: a caption becomes an embedding, and the embedding a picture.
 *
 *   npx millrace run dalle2                                       the sprites of the scenes, 74 MB, are fetched once
 *   npx millrace run dalle2 --set prior.kind=autoregressive       the other prior of the paper
 *
 * Each of twelve objects is learnt in six of eight colours, and asked for in the other two: 24 captions that train never has, and
 * images none of which is another's copy.
 */
import { registry as registryOf } from "@millrace/core"
import { dalle2, dalle2Presets, dalle2Stages } from "@millrace/pipelines"
import { scenes } from "./data/scenes.js"
import { clearObjects } from "./data/scenesWorld.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...dalle2Stages, scenes])

/** One thing each; 2 of its 8 colours are held out, so that there are 24 held-out captions to ask for. */
const objects = [...clearObjects, "banana", "crown", "guitar", "mushroom"] as const
const world = { objects, heldOutColours: 2, single: 1, background: "white" } as const

/** For `--preset`. */
export const presets = {
  tiny: () => dalle2(dalle2Presets.tiny, scenes({ size: 16, train: 256, heldOut: 64, ...world })),
  small: () => dalle2(dalle2Presets.small, scenes({ size: 32, train: 4000, heldOut: 560, ...world })),
  paper: () => dalle2(dalle2Presets.paper, scenes({ size: 256, train: 650_000_000, heldOut: 4096, ...world })),
}

export default presets.small()

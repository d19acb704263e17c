/**
 * DALL·E 2 on scenes that are composed of real emoji: a caption becomes an embedding, and the embedding a picture.
 *
 *   npx millrace run dalle2                                       the sprites of the scenes, 74 MB, are fetched once
 *   npx millrace run dalle2 --set prior.kind=autoregressive       the other prior of the paper
 *
 * Held-out scenes show each of 24 objects in a colour that it is never seen in. With seed 0, intervals at 95 %:
 *
 *   cosine of 256 held-out images with the prior's embedding   0.923 [0.917, 0.930], with the caption's own 0.885 [0.879, 0.892];
 *                                                              the difference, in pairs, 0.038 [0.034, 0.042]
 *   its own embedding is the nearest of 256 to a decoded image 25.4 % [20.4, 31.1]; by chance 0.39 %
 *   cosine of images of 24 captions with the captions          0.10, 0.79, 0.82, 0.82, 0.80 at guidance 0, 1, 2, 3, 5
 *
 * Interpolations and changes by words keep what they start from; of the images of captions about every other can be named, all
 * have the colour that was asked for. A decoder of 2,000 steps at 16 × 16 is what the time allows.
 */
import { registry as registryOf } from "@millrace/core"
import { dalle2, dalle2Presets, dalle2Stages } from "@millrace/pipelines"
import { scenes } from "./data/scenes.js"
import { clearObjects as objects } from "./data/scenesWorld.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...dalle2Stages, scenes])

/** One thing each; 3 of its 8 colours are held out, so that there are 24 held-out captions to ask for. */
const world = { objects, heldOutColours: 3, single: 1, background: "white" } as const

/** For `--preset`. */
export const presets = {
  tiny: () => dalle2(dalle2Presets.tiny, scenes({ size: 16, train: 256, heldOut: 64, ...world })),
  small: () => dalle2(dalle2Presets.small, scenes({ size: 32, train: 4000, heldOut: 560, ...world })),
  paper: () => dalle2(dalle2Presets.paper, scenes({ size: 256, train: 650_000_000, heldOut: 4096, ...world })),
}

export default presets.small()

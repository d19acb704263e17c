/**
 * DALL·E 2 on scenes that are composed of real emoji: a caption becomes an embedding, and the embedding a picture.
 *
 *   npx millrace run dalle2                                       under 12 minutes on two cores; fetches sprites once, 74 MB
 *   npx millrace run dalle2 --set prior.kind=autoregressive       the other prior of the paper
 *
 * Each of twelve objects is learnt in six of eight colours, and asked for in the other two: 24 captions that train never has, and
 * images none of which is another's copy. With seed 0 the command tells:
 *
 *   cosine with the true image's embedding, 512 held-out images    prior 0.933 [0.929, 0.936], caption 0.899 [0.895, 0.903],
 *                                                                  in pairs 0.034 [0.031, 0.036] apart
 *   pictures of 256 held-out embeddings, own embedding first       27.0 % [21.9, 32.7], by chance 0.39 %
 *   CLIP score of 24 held-out captions, guidance 1, 2, 3, 5        0.885, 0.889, 0.868, 0.844
 *   its caption first of the 24, guidance 2                        95.8 % [79.8, 99.3]
 *
 * Intervals take images as independent, which are of 24 captions. About two of three pictures of captions can be named.
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

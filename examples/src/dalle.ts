/**
 * DALL·E on synthetic scenes of real sprites: a discrete VAE, a sparse transformer over captions and codes, CLIP as the reranker.
 *
 *   npx millrace run dalle      the sprites of the scenes, 74 MB, are fetched once
 *
 * The judge, a network trained apart on the scenes, says what the pictures show; what it sees in reconstructions by the
 * discrete VAE is the most that samples can reach.
 */
import { registry as registryOf } from "@millrace/core"
import { dalle, dallePresets, dalleStages } from "@millrace/pipelines"
import { scenes } from "./data/scenes.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...dalleStages, scenes])

/** What tells apart at 16 × 16 what little time can teach. */
const objects = ["apple", "car", "fish", "heart", "house", "star", "tree", "umbrella"] as const

/** For `--preset`. */
export const presets = {
  tiny: () =>
    dalle(
      dallePresets.tiny,
      scenes({ size: 16, train: 1024, heldOut: 64, objects, single: 0.75, background: "white" }),
    ),
  small: () =>
    dalle(
      dallePresets.small,
      scenes({ size: 32, train: 8192, heldOut: 512, objects, single: 0.75, background: "white" }),
    ),
  paper: () =>
    dalle(
      dallePresets.paper,
      scenes({ size: 256, train: 250_000_000, heldOut: 4096, single: 0.75, background: "white" }),
    ),
}

export default presets.small()

/** DALL·E 2 on scenes that are composed of real emoji: a caption becomes an embedding, and the embedding a picture. */
import { registry as registryOf } from "@millrace/core"
import { dalle2, dalle2Presets, dalle2Stages } from "@millrace/pipelines"
import { scenes } from "./data/scenes.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...dalle2Stages, scenes])

/** For `--preset`. */
export const presets = {
  tiny: () => dalle2(dalle2Presets.tiny, scenes({ size: 16, train: 256, heldOut: 64, single: 1, background: "white" })),
  small: () =>
    dalle2(dalle2Presets.small, scenes({ size: 32, train: 4000, heldOut: 256, single: 1, background: "white" })),
  paper: () =>
    dalle2(
      dalle2Presets.paper,
      scenes({ size: 256, train: 650_000_000, heldOut: 4096, single: 1, background: "white" }),
    ),
}

export default presets.small()

/** CLIP on emoji: Google's art with its names to learn from, Twitter's art of the same concepts to be tried on. */
import { registry as registryOf } from "@millrace/core"
import { clip, clipPipelinePresets, clipStages } from "@millrace/pipelines"
import { emoji } from "./data/emoji.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...clipStages, emoji])

export default clip(
  clipPipelinePresets.small,
  emoji({
    size: 32,
    heldOut: 0.1,
    tones: "none",
    templates: ["name", "emoji", "drawing", "kind", "kindOf"],
    shifted: true,
  }),
)

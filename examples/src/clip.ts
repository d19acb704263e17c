/**
 * CLIP on emoji: Google's art with its names to learn from, Twitter's art of the same concepts to be tried on.
 *
 *   npx millrace run clip --seed 0        about 5 minutes on two cores, once the two packages of emoji are there
 *
 * 1,000 steps of 256 images at 32 × 32 over 1,715 concepts, one drawing each. In per cent, with intervals at 95 %:
 *
 *                         Twitter's art of these       191 concepts held out
 *   zero-shot@1           28.0 [26.0, 30.2]  of 1,715   22.0 [16.7, 28.4]  of 191; a guess has 0.06 and 0.52
 *   zero-shot@5           48.4 [46.0, 50.8]             33.0 [26.7, 39.9]
 *   text of image@5       47.8 [45.4, 50.1]             33.5 [27.2, 40.5]
 *   image of text@5       49.7 [47.3, 52.0]             29.8 [23.8, 36.7]
 *
 *   nearest by pixels @1  36.0 [33.7, 38.3]
 *   nearest by pixels @5  51.3 [48.9, 53.7]
 *
 * The last two rows need no training, and do better: a drawing each is little to learn from. CLIP is asked by text, and of
 * concepts that it never saw, where pixels have nothing to say. 1,500 steps with stronger changes (`warp` 0.06, `detail` 0.8,
 * `cover` 0.35, `turn` 15, `hue` 30) gave 30.9 and 51.1 for half as much time again, and no more of the held-out concepts.
 */
import { registry as registryOf } from "@millrace/core"
import { clip, clipPipelinePresets, clipStages } from "@millrace/pipelines"
import { emoji } from "./data/emoji.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...clipStages, emoji])

/** Emoji at the size of a model's images. */
const emojiAt = (size: number) =>
  emoji({
    size,
    heldOut: 0.1,
    tones: "none",
    templates: ["name", "emoji", "drawing", "kind", "kindOf"],
    shifted: true,
  })

/** For `--preset`. */
export const presets = {
  tiny: () => clip(clipPipelinePresets.tiny, emojiAt(32)),
  small: () => clip(clipPipelinePresets.small, emojiAt(32)),
  paper: () => clip(clipPipelinePresets.paper, emojiAt(224)),
}

export default presets.small()

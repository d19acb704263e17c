/** Sizes of the pipeline, by name. */
import { paper } from "./paperPreset.js"
import { small } from "./smallPreset.js"
import { tiny } from "./tinyPreset.js"

export const dalle2Presets = { tiny, small, paper } as const

/** The default run: InstructGPT on State of the Union addresses, with AFINN-111 as the taste of a simulated labeler. */
import { registry as registryOf } from "@millrace/core"
import { instructgpt, instructgptPresets, instructgptStages } from "@millrace/pipelines"
import { afinn } from "./data/afinn.js"
import { sotu } from "./data/sotu.js"

/** What `--set` and graph files are decoded with. */
export const registry = registryOf([...instructgptStages, sotu, afinn])

const speeches = sotu({ heldOut: 24, since: 1790 })

/** For `--preset`. */
export const presets = {
  tiny: () => instructgpt(instructgptPresets.tiny, speeches, afinn({})),
  small: () => instructgpt(instructgptPresets.small, speeches, afinn({})),
}

export default presets.small()

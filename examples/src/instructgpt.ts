/** The default run: InstructGPT on State of the Union addresses, with AFINN-111 as the taste of a simulated labeler. */
import { instructgpt, instructgptPresets } from "@millrace/pipelines"
import { afinn } from "./data/afinn.js"
import { sotu } from "./data/sotu.js"

export default instructgpt(instructgptPresets.small, sotu({ heldOut: 24, since: 1790 }), afinn({}))

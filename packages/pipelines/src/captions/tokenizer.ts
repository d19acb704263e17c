/** Stage: a byte-level BPE vocabulary learnt from the captions of images. */
import { artifact, defineStageNode, Stage } from "@millrace/core"
import { trainBpe } from "@millrace/models"
import { Effect, Schema } from "effect"
import { captionedImagesKind } from "../artifacts/captionedImages.js"
import { tokenizerKind } from "../artifacts/tokenizer.js"
import { Count } from "../ranges.js"
import { captionsOf } from "./captions.js"
import { captionText } from "./captionText.js"

export const captionTokenizerStage = defineStageNode({
  type: "captions.tokenizer",
  version: 1,
  source: "Radford et al. 2021, section 2.4: byte pairs of lower-case text",
  config: Schema.Struct({
    /** Bytes, merges and end-of-text together; end-of-text is the last, and so the largest. */
    vocab: Count,
  }),
  ports: { in: { images: artifact(captionedImagesKind) }, out: artifact(tokenizerKind) },
  outline: ({ vocab }) => ({ sizes: { vocab } }),
  run: ({ vocab }, { images }) =>
    Effect.gen(function* () {
      const { emit } = yield* Stage
      const captions = yield* captionsOf(images.train)
      const tokenizer = yield* trainBpe(captions.map(captionText), { vocab })
      let [longest, total] = [0, 0]
      for (const caption of captions) {
        const { length } = tokenizer.encode(captionText(caption))
        longest = Math.max(longest, length)
        total += length
      }
      const mean = (total / Math.max(1, captions.length)).toFixed(1)
      yield* emit({
        type: "stage.note",
        text: `${tokenizer.size} tokens from ${captions.length} captions of ${mean} tokens on average, ${longest} at most`,
      })
      return tokenizer
    }),
})

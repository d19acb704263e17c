/** What the stages' outlines have in common. */
import type { OutlineInputs, Sizes } from "@millrace/core"
import type { GptConfig } from "@millrace/models"

/** A language model's sizes, as an outline hands them on. */
export const gptSizes = ({ vocab, context, width, layers, heads }: GptConfig): Sizes => ({
  vocab,
  context,
  width,
  layers,
  heads,
})

/** The language model that comes in at a port. */
export const gptAt = ({ size }: OutlineInputs, port: string): GptConfig => ({
  vocab: size(port, "vocab"),
  context: size(port, "context"),
  width: size(port, "width"),
  layers: size(port, "layers"),
  heads: size(port, "heads"),
})

/** Tokens of the longest prompt with its answer. */
export const rowLength = ({ size }: OutlineInputs, port: string): number =>
  size(port, "promptLength") + size(port, "continuationLength")

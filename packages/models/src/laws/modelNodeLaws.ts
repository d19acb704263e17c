/** The laws that the nodes of GPT, of the reward and value models and of the sparse transformer carry. */
import { type NodeLaws, tokens } from "@millrace/core/laws"
import type { GptConfig } from "../gpt.js"
import type { SparseConfig } from "../sparse.js"
import { causalModelLaws, maskedModelLaws, scoreModelLaws, textAndImageLaws } from "./modelLaws.js"

/** Texts that leave room for padding in the model's context, and ids of its vocabulary. */
const fitting = ({ vocab, context }: GptConfig): Pick<NodeLaws, "sizes" | "ranges"> => ({
  sizes: { v: vocab },
  ranges: { t: [1, Math.max(1, Math.min(4, context - 2))] },
})

/** A model of tokens. */
export const gptNodeLaws = (config: GptConfig): NodeLaws => ({ ...fitting(config), laws: causalModelLaws })

/** The same with a mask. */
export const maskedGptNodeLaws = (config: GptConfig): NodeLaws => ({ ...fitting(config), laws: maskedModelLaws })

/** One number a text. */
export const scoreNodeLaws = (config: GptConfig): NodeLaws => ({ ...fitting(config), laws: scoreModelLaws })

/** Text and image in one stream. */
export const sparseNodeLaws = ({ text, imageVocab }: SparseConfig): NodeLaws => ({
  // The last classes of the text's vocabulary are paddings, which no caption has.
  examples: { tokens: (shape, { v = 2 }) => tokens(shape, v - text), codes: (shape) => tokens(shape, imageVocab) },
  laws: textAndImageLaws,
})

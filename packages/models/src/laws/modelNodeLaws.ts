/** The laws that the nodes of GPT, of the reward and value models and of the sparse transformer carry. */
import {
  causal,
  examplesOf,
  expectSame,
  law,
  maskedNeverLeaks,
  type NodeLaws,
  paddingInvariant,
  resultsOf,
  type SubjectLaw,
  tokens,
} from "@millrace/core/laws"
import fc from "fast-check"
import type { GptConfig } from "../gpt.js"
import type { SparseConfig } from "../sparse.js"

/** Texts that leave room for padding in the model's context, and ids of its vocabulary. */
const fitting = ({ vocab, context }: GptConfig): Pick<NodeLaws, "sizes" | "ranges"> => ({
  sizes: { v: vocab },
  ranges: { t: [1, Math.max(1, Math.min(4, context - 2))] },
})

/** A model of tokens: no later token changes an earlier output. */
export const gptNodeLaws = (config: GptConfig): NodeLaws => ({ ...fitting(config), laws: [causal("t")] })

/** The same with a mask: padding on either side changes nothing, and what it holds is not seen. */
export const maskedGptNodeLaws = (config: GptConfig): NodeLaws => ({
  ...fitting(config),
  laws: [
    causal("t"),
    maskedNeverLeaks("mask", ["tokens"], { results: "kept" }),
    paddingInvariant("mask", "t", { side: "left" }),
    paddingInvariant("mask", "t", { side: "right" }),
  ],
})

/** One number a text. */
export const scoreNodeLaws = (config: GptConfig): NodeLaws => ({
  ...fitting(config),
  laws: [
    maskedNeverLeaks("mask", ["tokens"]),
    paddingInvariant("mask", "t", { side: "left" }),
    paddingInvariant("mask", "t", { side: "right" }),
  ],
})

/** Text does not see the image, and no token of the image sees a later one. */
export const sparseNodeLaws = ({ text, imageVocab }: SparseConfig): NodeLaws => ({
  // The last classes of the text's vocabulary are paddings, which no caption has.
  examples: { tokens: (shape, { v = 2 }) => tokens(shape, v - text), codes: (shape) => tokens(shape, imageVocab) },
  laws: [causal("s"), textFirst, maskedNeverLeaks("mask", ["tokens"])],
})

/** The image's codes change no logit of the text. */
const textFirst: SubjectLaw = (subject) =>
  law("the image changes no logit of the text", fc.tuple(examplesOf(subject), fc.nat(9)), ([example, turn]) => {
    const { codes = [] } = example.inputs
    const turned = { ...example.inputs, codes: [...codes.slice(turn), ...codes.slice(0, turn)].reverse() }
    expectSame(resultsOf(subject, { ...example, inputs: turned }).text!, resultsOf(subject, example).text!)
  })

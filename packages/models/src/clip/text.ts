/**
 * CLIP's text tower: a causal transformer, read where the text ends.
 *   tokens -> embed + position -> transformer -> norm -> at the end of text -> projection
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, encode_text.
 * Axes     b batch, t position, d width, v vocabulary, j joint width
 */
import { BadLength, embed, normal, type ParamsOf, withPath } from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { causalBias } from "../layers/attention.js"
import { norm } from "../layers/norm.js"
import { normOf, param } from "../layers/params.js"
import { headsDivide, Size } from "../layers/sizes.js"
import { transformer, transformerFields, transformerParams } from "./block.js"

// --- config

/** The shape of a text tower. The last token of the vocabulary ends a text; `context` is the longest text. */
export const ClipTextConfig = Schema.Struct({ vocab: Size, context: Size, ...transformerFields }).check(
  Schema.makeFilter(headsDivide),
)
export type ClipTextConfig = typeof ClipTextConfig.Type

// --- parameters

/** Parameters of a text tower, as specs. Nothing is allocated, at any size. */
export const clipTextParams = (config: ClipTextConfig, joint: number) => ({
  token: param([config.vocab, config.width], normal(0.02)),
  position: param([config.context, config.width], normal(0.01)),
  blocks: transformerParams(config, "text"),
  norm: normOf(config.width),
  projection: param([config.width, joint], normal(config.width ** -0.5)),
})
export type ClipTextParams = ParamsOf<ReturnType<typeof clipTextParams>>

// --- forward

/**
 * The feature at the largest token of each row, of equal ones the first: the end of text, the largest of the vocabulary.
 * @param tokens  int32    b t   shorter than the context, or padded with anything below the end of text
 * @returns       float32  b j   of any length
 * @throws BadLength  t is above the context
 * @law           what comes after the end of text changes nothing
 */
export const clipText = (config: ClipTextConfig, p: ClipTextParams, tokens: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  const { context, width: d } = config
  if (t > context) {
    throw new BadLength({
      where: "clip.text",
      expected: `at most ${context} tokens, the model's context`,
      received: `${t} tokens`,
      fix: "cut the texts: the tokenizer's `rows` keeps the end of text",
    })
  }
  const embedded = withPath("embed", () => tf.add(embed(p.token, tokens), tf.slice(p.position, [0, 0], [t, d]))) // b t d
  const x = transformer(config, p.blocks, embedded, causalBias(t)) // b t d
  return withPath("project", () => {
    const ends = tf.add(tf.argMax(tokens, 1), tf.range(0, b * t, t, "int32")) // b
    const last = embed(tf.reshape(norm(p.norm, x), [b * t, d]), ends) // b d
    return tf.matMul(last, p.projection) // b j
  })
}

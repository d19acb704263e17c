/**
 * CLIP's text tower: a causal transformer, read where the text ends.
 *   tokens -> embed + position -> transformer -> norm -> at the end of text -> projection
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, encode_text.
 * Axes     b batch, t position, d width, v vocabulary, j joint width
 */
import { embed, normal, type ParamsOf } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { norm, type TransformerConfig, transformer, transformerParams } from "./clipBlock.js"
import { normOf, param } from "./params.js"

export interface TextConfig extends TransformerConfig {
  /** The last token of the vocabulary ends a text. */
  readonly vocab: number
  readonly context: number
}

export const textParams = (config: TextConfig, joint: number) => ({
  token: param([config.vocab, config.width], normal(0.02)),
  position: param([config.context, config.width], normal(0.01)),
  blocks: transformerParams(config),
  norm: normOf(config.width),
  projection: param([config.width, joint], normal(config.width ** -0.5)),
})

const causal = (t: number): tf.Tensor => {
  const positions = tf.range(0, t, 1, "int32")
  const seen = tf.lessEqual(tf.reshape(positions, [1, t]), tf.reshape(positions, [t, 1]))
  return tf.where(seen, tf.scalar(0), tf.scalar(-1e9)) // t t
}

/**
 * @param tokens  int32    b t   the end of text is the largest of each row
 * @returns       float32  b j
 */
export const textTower = (
  config: TextConfig,
  p: ParamsOf<ReturnType<typeof textParams>>,
  tokens: tf.Tensor,
): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  const x = transformer(p.blocks, tf.add(embed(p.token, tokens), p.position), config.heads, causal(t)) // b t d
  const ends = tf.add(tf.argMax(tokens, 1), tf.range(0, b * t, t, "int32")) // b
  const last = embed(tf.reshape(norm(p.norm, x), [b * t, config.width]), ends) // b d
  return tf.matMul(last, p.projection) // b j
}

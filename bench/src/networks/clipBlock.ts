/**
 * The transformer of CLIP's towers.
 *   x -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers, with QuickGELU
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, ResidualAttentionBlock.
 * Axes     b batch, t position, d width, h heads, e head width
 */
import { layerNorm, linear, type ParamsOf, quickGelu, withPath } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { attend } from "./attend.js"
import { linearOf, normOf } from "./params.js"

export interface TransformerConfig {
  readonly width: number
  readonly layers: number
  readonly heads: number
}

/** Residual projections shrink with depth, as in the text tower of the paper's code. */
const blockParams = ({ width: d, layers }: TransformerConfig) => {
  const residual = d ** -0.5 * (2 * layers) ** -0.5
  return {
    norm1: normOf(d),
    attention: { qkv: linearOf(d, 3 * d, d ** -0.5), out: linearOf(d, d, residual) },
    norm2: normOf(d),
    mlp: { up: linearOf(d, 4 * d, (2 * d) ** -0.5), down: linearOf(4 * d, d, residual) },
  }
}
export const transformerParams = (config: TransformerConfig) =>
  Array.from({ length: config.layers }, () => blockParams(config))

type Block = ParamsOf<ReturnType<typeof blockParams>>

export const norm = (p: Block["norm1"], x: tf.Tensor): tf.Tensor =>
  layerNorm(x, p.gain as tf.Tensor1D, p.bias as tf.Tensor1D, 1e-5)

const block = (p: Block, x: tf.Tensor, heads: number, bias: tf.Tensor | null): tf.Tensor => {
  const qkv = linear(norm(p.norm1, x), p.attention.qkv.weight, p.attention.qkv.bias) // b t (3 h e)
  const attended = linear(attend(qkv, heads, bias), p.attention.out.weight, p.attention.out.bias) // b t d
  const between = tf.add(x, attended)
  const hidden = quickGelu(linear(norm(p.norm2, between), p.mlp.up.weight, p.mlp.up.bias)) // b t 4d
  return tf.add(between, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b t d
}

/**
 * @param x     float32  b t d
 * @param bias  added to the scores, or null where every position sees every other   float32  t t
 * @returns     float32  b t d
 */
export const transformer = (
  blocks: ReadonlyArray<Block>,
  x: tf.Tensor,
  heads: number,
  bias: tf.Tensor | null,
): tf.Tensor => blocks.reduce((state, p, i) => withPath(`blocks.${i}`, () => block(p, state, heads, bias)), x)

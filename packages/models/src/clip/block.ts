/**
 * The transformer of CLIP's towers.
 *   x -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers
 * Source   Radford et al. 2021, section 2.4; openai/CLIP `model.py`, ResidualAttentionBlock.
 * Axes     b batch, t position, s key position, d width, h heads, e head width
 */
import {
  geluErf,
  type Init,
  linear,
  normal,
  type ParamSpec,
  quickGelu,
  withPath,
  zeros,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { attention, joinHeads, partHeads } from "../layers/attention.js"
import type { BlockTree } from "../layers/blockTree.js"
import { fanIn } from "../layers/fanIn.js"
import { norm } from "../layers/norm.js"
import { normOf, param } from "../layers/params.js"
import { Size } from "../layers/sizes.js"

// --- config

/**
 * What every tower has.
 *
 * - `activation`: `quick-gelu` (default), which all of OpenAI's weights need, or `gelu`, the exact one of open_clip's
 *   configs without the suffix "-quickgelu". The paper names neither.
 */
export const transformerFields = {
  width: Size,
  layers: Size,
  heads: Size,
  activation: Schema.optionalKey(Schema.Literals(["quick-gelu", "gelu"])),
}
export interface TransformerConfig {
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly activation?: "quick-gelu" | "gelu"
}

// --- init

/**
 * How the weights of a block start; the paper is silent. The text tower's have standard deviations by width and depth,
 * the vision transformer's are PyTorch's defaults: the code starts the one and leaves the other alone.
 */
export type BlockStart = "text" | "vision"

interface Starts {
  readonly qkv: Init
  readonly out: Init
  readonly up: Init
  readonly down: Init
}

const startsOf = ({ width: d, layers }: TransformerConfig, start: BlockStart): Starts => {
  if (start === "vision") {
    // Xavier's uniform bound over the joined d × 3d matrix: √(6 / (d + 3d)).
    const joined = Math.sqrt(6 / (4 * d))
    return { qkv: { kind: "uniform", low: -joined, high: joined }, out: fanIn(d), up: fanIn(d), down: fanIn(4 * d) }
  }
  const residual = normal(d ** -0.5 * (2 * layers) ** -0.5)
  return { qkv: normal(d ** -0.5), out: residual, up: normal((2 * d) ** -0.5), down: residual }
}

// --- parameters

const blockParams = (d: number, starts: Starts): BlockTree<ParamSpec> => ({
  norm1: normOf(d),
  attention: {
    qkv: { weight: param([d, 3 * d], starts.qkv), bias: param([3 * d], zeros) },
    out: { weight: param([d, d], starts.out), bias: param([d], zeros) },
  },
  norm2: normOf(d),
  mlp: {
    up: { weight: param([d, 4 * d], starts.up), bias: param([4 * d], fanIn(d)) },
    down: { weight: param([4 * d, d], starts.down), bias: param([d], fanIn(4 * d)) },
  },
})

/** Parameters of a tower's blocks, as specs. */
export const transformerParams = (config: TransformerConfig, start: BlockStart) =>
  Array.from({ length: config.layers }, () => blockParams(config.width, startsOf(config, start)))

// --- forward

const block = (
  { heads, activation = "quick-gelu" }: TransformerConfig,
  p: BlockTree<tf.Tensor>,
  x: tf.Tensor,
  bias: tf.Tensor | null,
): tf.Tensor => {
  const qkv = linear(norm(p.norm1, x), p.attention.qkv.weight, p.attention.qkv.bias) // b t (3 h e)
  const attended = joinHeads(attention(...partHeads(qkv, heads), bias)) // b t (h e)
  const between = tf.add(x, linear(attended, p.attention.out.weight, p.attention.out.bias)) // b t d
  const bend = activation === "gelu" ? geluErf : quickGelu
  const hidden = bend(linear(norm(p.norm2, between), p.mlp.up.weight, p.mlp.up.bias)) // b t 4d
  return tf.add(between, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b t d
}

/**
 * @param x     float32  b t d
 * @param bias  added to the scores, or null where every position sees every other   float32  t s
 * @returns     float32  b t d
 */
export const transformer = (
  config: TransformerConfig,
  blocks: ReadonlyArray<BlockTree<tf.Tensor>>,
  x: tf.Tensor,
  bias: tf.Tensor | null,
): tf.Tensor => blocks.reduce((state, p, i) => withPath(`blocks.${i}`, () => block(config, p, state, bias)), x)

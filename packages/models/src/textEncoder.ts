/**
 * GLIDE's text encoder: a transformer over a caption in which every token sees every other.
 *   tokens -> embed + position, or the padding of its place -> [ x + attention(norm x) ; x + mlp(norm x) ] * layers -> norm
 * Source   Nichol et al. 2021, section 4.1; openai/glide-text2im `text2im_model.py`, `xf.py`.
 * Differs  Weights start as CLIP's text tower does: GLIDE's initial values were not published.
 * Axes     b batch, t position, d width, h heads, e head width, f feed-forward width, v vocabulary
 */
import {
  BadLength,
  defineTensorNode,
  embed,
  geluErf,
  linear,
  normal,
  type ParamSpec,
  tensor,
  withPath,
} from "@millrace/core/definitions"
import * as tf from "@tensorflow/tfjs-core"
import { Schema } from "effect"
import { attention, joinHeads, partHeads } from "./layers/attention.js"
import type { BlockTree } from "./layers/blockTree.js"
import { norm } from "./layers/norm.js"
import { linearOf, type Norm, normOf, param } from "./layers/params.js"
import { headsDivide, Size } from "./layers/sizes.js"

// --- config

/** The shape of a text encoder. Captions are padded to `context` tokens, and the feed-forward width is 4 · width. */
export const TextEncoderConfig = Schema.Struct({
  vocab: Size,
  context: Size,
  width: Size,
  layers: Size,
  heads: Size,
}).check(Schema.makeFilter(headsDivide))
export type TextEncoderConfig = typeof TextEncoderConfig.Type

// --- parameters

/** A text encoder's parameters: specs, tensors, gradients, whatever stands at the leaves. */
export type TextEncoderTree<Leaf> = {
  /** v d */
  readonly token: Leaf
  /** t d */
  readonly position: Leaf
  /** What stands at each position in place of a token and its position. t d */
  readonly padding: Leaf
  readonly blocks: ReadonlyArray<BlockTree<Leaf>>
  readonly norm: Norm<Leaf>
}
export type TextEncoderParams = TextEncoderTree<tf.Tensor>

/** Parameters of a text encoder, as specs. Nothing is allocated, at any size. */
export const textEncoderParams = (config: TextEncoderConfig): TextEncoderTree<ParamSpec> => {
  const { vocab, context, width: d, layers } = config
  const residual = 1 / Math.sqrt(d * 2 * layers)
  return {
    token: param([vocab, d], normal(0.02)),
    position: param([context, d], normal(0.01)),
    padding: param([context, d], normal(0.01)),
    blocks: Array.from({ length: layers }, () => ({
      norm1: normOf(d),
      attention: { qkv: linearOf(d, 3 * d), out: linearOf(d, d, residual) },
      norm2: normOf(d),
      mlp: { up: linearOf(d, 4 * d, 1 / Math.sqrt(2 * d)), down: linearOf(4 * d, d, residual) },
    })),
    norm: normOf(d),
  }
}

// --- block

const block = (p: BlockTree<tf.Tensor>, x: tf.Tensor, heads: number): tf.Tensor => {
  const [q, k, v] = partHeads(linear(norm(p.norm1, x), p.attention.qkv.weight, p.attention.qkv.bias), heads) // b h t e
  const joined = joinHeads(attention(q, k, v, null)) // b t d
  const y = tf.add(x, linear(joined, p.attention.out.weight, p.attention.out.bias)) // b t d
  const hidden = geluErf(linear(norm(p.norm2, y), p.mlp.up.weight, p.mlp.up.bias)) // b t f
  return tf.add(y, linear(hidden, p.mlp.down.weight, p.mlp.down.bias)) // b t d
}

// --- forward

/**
 * A caption's tokens in their context.
 *
 * Padding is no token of the vocabulary: at each place where the mask is 0 stands the learned padding of that place,
 * whatever the token's id. Tokens see paddings as they see each other, as in GLIDE. A caption of nothing but padding is
 * the empty caption, which stands for a caption that was dropped.
 * @param tokens  int32  b t
 * @param mask    1 for a token, 0 for padding  float32, int32 or bool  b t
 * @returns       float32  b t d; the last position is what the whole caption is represented by
 * @throws BadLength  t is not the context: the last position would be another one
 * @law           an id under padding, even one outside of the vocabulary, changes nothing
 */
export const encodeText = (
  config: TextEncoderConfig,
  p: TextEncoderParams,
  tokens: tf.Tensor,
  mask: tf.Tensor,
): tf.Tensor => {
  const [b = 0, t = 0] = tokens.shape
  if (t !== config.context) {
    throw new BadLength({
      where: "textEncoder",
      expected: `${config.context} tokens, the encoder's context`,
      received: `${t} tokens`,
      fix: "pad the caption, or cut it",
    })
  }
  let x = withPath("embed", () => {
    const real = tf.greater(tf.cast(mask, "float32"), 0.5)
    const words = tf.add(embed(p.token, tf.where(real, tokens, tf.zerosLike(tokens))), p.position) // b t d
    return tf.where(tf.reshape(real, [b, t, 1]), words, p.padding) // b t d
  })
  for (const [i, layer] of p.blocks.entries()) {
    x = withPath(`blocks.${i}`, () => block(layer, x, config.heads)) // b t d
  }
  return withPath("norm", () => norm(p.norm, x))
}

/** The last position of a sequence. float32 `b t d` -> `b d` */
export const lastPosition = (x: tf.Tensor): tf.Tensor => {
  const [b = 0, t = 0, d = 0] = x.shape
  return tf.reshape(tf.slice(x, [0, t - 1, 0], [b, 1, d]), [b, d])
}

// --- nodes

/** A text encoder's node. */
export const textEncoder = {
  /** `tokens`, `mask` -> each token in its context, and the last of them for the whole caption. */
  encode: defineTensorNode({
    type: "textEncoder.encode",
    version: 1,
    source: "Nichol et al. 2021, section 4.1",
    config: TextEncoderConfig,
    ports: ({ width, context }) => ({
      in: { tokens: tensor("int32", "b t", "token"), mask: tensor("float32", "b t", "mask") },
      out: { sequence: tensor("float32", "b t d", "feature"), pooled: tensor("float32", "b d", "feature") },
      sizes: { d: width, t: context },
    }),
    params: textEncoderParams,
    apply: (config, p, { tokens, mask }) => {
      const sequence = encodeText(config, p, tokens, mask)
      return { sequence, pooled: lastPosition(sequence) }
    },
  }),
}

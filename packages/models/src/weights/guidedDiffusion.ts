/** The state dicts of OpenAI's guided-diffusion and GLIDE, and of Karlo, which has their names. */
import type { DecoderConfig } from "../decoder.js"
import type { UnetConfig } from "../unet.js"
import type { Rename, RenameTable } from "./renameTable.js"
import { convRenames, linearRenames, normRenames, type UnetNames, unetRenames } from "./unetRenames.js"

/**
 * How the rows of a checkpoint's queries, keys and values are ordered: `heads` of three each, in GLIDE, in Karlo and in
 * guided-diffusion unless it was trained with `use_new_attention_order`; or `kinds`, all queries first, where it was.
 */
export type AttentionOrder = "heads" | "kinds"

const namesOf = (order: AttentionOrder): UnetNames => {
  const rows = order === "heads" ? "(h p e)" : "(p h e)"
  return {
    time1: "time_embed.0",
    time2: "time_embed.2",
    input: "input_blocks.0.0",
    norm: "out.0",
    output: "out.2",
    place: (way, i, part, hasAttention) => {
      if (way === "down") {
        const block = `input_blocks.${i + 1}`
        return part === "attention" ? `${block}.1` : part === "down" ? `${block}.0.op` : `${block}.0`
      }
      const block = `output_blocks.${i}`
      if (part === "residual") return `${block}.0`
      if (part === "attention") return `${block}.1`
      const last = `${block}.${hasAttention ? 2 : 1}`
      return part === "up" ? `${last}.conv` : last
    },
    middle: (part, hasAttention) =>
      `middle_block.${part === "before" ? 0 : part === "attention" ? 1 : hasAttention ? 2 : 1}`,
    residual: ({ ours, theirs }) => [
      ...normRenames({ ours: `${ours}.norm1`, theirs: `${theirs}.in_layers.0` }),
      ...convRenames({ ours: `${ours}.conv1`, theirs: `${theirs}.in_layers.2` }),
      ...linearRenames({ ours: `${ours}.time`, theirs: `${theirs}.emb_layers.1` }),
      ...normRenames({ ours: `${ours}.norm2`, theirs: `${theirs}.out_layers.0` }),
      ...convRenames({ ours: `${ours}.conv2`, theirs: `${theirs}.out_layers.3` }),
      ...convRenames({ ours: `${ours}.skip`, theirs: `${theirs}.skip_connection` }),
    ],
    attention: ({ ours, theirs }) => [
      ...normRenames({ ours: `${ours}.norm`, theirs: `${theirs}.norm` }),
      { ours: `${ours}.qkv.weight`, theirs: `${theirs}.qkv.weight`, axes: `${rows} i 1 -> i (p h e)` },
      { ours: `${ours}.qkv.bias`, theirs: `${theirs}.qkv.bias`, axes: `${rows} -> (p h e)` },
      { ours: `${ours}.context.weight`, theirs: `${theirs}.encoder_kv.weight`, axes: "(h r e) i 1 -> i (r h e)" },
      { ours: `${ours}.context.bias`, theirs: `${theirs}.encoder_kv.bias`, axes: "(h r e) -> (r h e)" },
      { ours: `${ours}.out.weight`, theirs: `${theirs}.proj_out.weight`, axes: "o i 1 -> i o" },
      { ours: `${ours}.out.bias`, theirs: `${theirs}.proj_out.bias` },
    ],
  }
}

/** Queries, keys and values are 3, keys and values of a context 2, and heads are as wide as the config says. */
const sizesOf = ({ headWidth }: UnetConfig) => ({ p: 3, r: 2, e: headWidth })

/** A U-Net in guided-diffusion's names; GLIDE's and Karlo's upsamplers have the same. */
export const guidedDiffusionUnet = (config: UnetConfig, order: AttentionOrder = "heads"): RenameTable => ({
  name: "guided-diffusion UNetModel",
  renames: unetRenames(config, namesOf(order)),
  sizes: sizesOf(config),
})

/** The image embedding's projections, in Karlo's names. */
const imageRenames: ReadonlyArray<Rename> = [
  ...linearRenames({ ours: "image.time", theirs: "clip_emb" }),
  // Their outputs are 4 numbers of each channel, ours all channels of each token.
  { ours: "image.tokens.weight", theirs: "clip_tok_proj.weight", axes: "(d k) i -> i (k d)" },
  { ours: "image.tokens.bias", theirs: "clip_tok_proj.bias", axes: "(d k) -> (k d)" },
  { ours: "image.dropped", theirs: "cf_param" },
]

/**
 * A decoder with a text encoder in the names of GLIDE's `Text2ImUNet`; unCLIP's projections of the image embedding, which
 * were not published, in those of Karlo.
 */
export const glideDecoder = (config: DecoderConfig): RenameTable => {
  const { unet, text, image } = config
  const encoder = text.kind === "encoder" ? text.encoder : null
  return {
    name: "glide-text2im Text2ImUNet",
    renames: [
      ...unetRenames(unet, namesOf("heads"), "unet."),
      { ours: "text.encoder.token", theirs: "token_embedding.weight" },
      { ours: "text.encoder.position", theirs: "positional_embedding" },
      { ours: "text.encoder.padding", theirs: "padding_embedding" },
      ...normRenames({ ours: "text.encoder.blocks.{i}.norm1", theirs: "transformer.resblocks.{i}.ln_1" }),
      {
        ours: "text.encoder.blocks.{i}.attention.qkv.weight",
        theirs: "transformer.resblocks.{i}.attn.c_qkv.weight",
        axes: "(m p n) i -> i (p m n)",
      },
      {
        ours: "text.encoder.blocks.{i}.attention.qkv.bias",
        theirs: "transformer.resblocks.{i}.attn.c_qkv.bias",
        axes: "(m p n) -> (p m n)",
      },
      ...linearRenames({
        ours: "text.encoder.blocks.{i}.attention.out",
        theirs: "transformer.resblocks.{i}.attn.c_proj",
      }),
      ...normRenames({ ours: "text.encoder.blocks.{i}.norm2", theirs: "transformer.resblocks.{i}.ln_2" }),
      ...linearRenames({ ours: "text.encoder.blocks.{i}.mlp.up", theirs: "transformer.resblocks.{i}.mlp.c_fc" }),
      ...linearRenames({ ours: "text.encoder.blocks.{i}.mlp.down", theirs: "transformer.resblocks.{i}.mlp.c_proj" }),
      ...normRenames({ ours: "text.encoder.norm", theirs: "final_ln" }),
      ...linearRenames({ ours: "text.time", theirs: "transformer_proj" }),
      ...imageRenames,
    ],
    sizes: {
      ...sizesOf(unet),
      k: image?.tokens ?? 4,
      ...(encoder === null ? {} : { m: encoder.heads, n: encoder.width / encoder.heads }),
    },
  }
}

/** A decoder with CLIP's text in the names of Karlo's `PLMImUNet`. */
export const karloDecoder = ({ unet, image }: DecoderConfig): RenameTable => ({
  name: "karlo PLMImUNet",
  renames: [
    ...unetRenames(unet, namesOf("heads"), "unet."),
    ...linearRenames({ ours: "text.sequence", theirs: "text_seq_proj.0" }),
    ...normRenames({ ours: "text.norm", theirs: "text_seq_proj.1" }),
    ...linearRenames({ ours: "text.time", theirs: "text_feat_proj" }),
    ...imageRenames,
  ],
  sizes: { ...sizesOf(unet), k: image?.tokens ?? 4 },
})
